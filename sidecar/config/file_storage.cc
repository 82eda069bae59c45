#include "sidecar/config/file_storage.h"

#include "absl/strings/str_cat.h"
#include "sidecar/config/nearest.h"
#include "sidecar/config/section_values.h"

namespace zrs::config {
namespace {

constexpr absl::string_view kFileStorageType = "filestorage";

bool IsTopLevelType(const std::string& type) {
  for (const SectionKind kind : {kSidecar, kZrs, kPrimary, kSecondary}) {
    if (type == SectionType(kind)) return true;
  }
  return false;
}

absl::Status NothingWrapped(const Section& section) {
  const absl::string_view known[] = {kFileStorageType};
  const bool misspelt = !Nearest(section.type, known).empty();
  return ErrorAt(section.location, absl::StrCat("no <filestorage> in ", HeaderText(section)),
                 misspelt ? "did you mean <filestorage>?"
                          : "only a <filestorage> and what wraps it can be replicated: add it, or remove the section");
}

absl::Status SecondFileStorage(const Section& second, const Section& first) {
  return ErrorAt(second.location, absl::StrCat("a second <filestorage>, after the one at ", first.location.ToString()),
                 "give each a storage section of its own");
}

// Looks for <filestorage> in `section`, a part of `storage` (or itself). `found` is the one found so far, or null.
// As deep as sections are nested, which the parser bounds.
absl::Status Find(const Section& section, const Section& storage, bool blobs_external, const Section** found) {
  for (const Section& inner : section.sections) {
    if (IsTopLevelType(inner.type)) {
      return ErrorAt(inner.location, absl::StrCat(HeaderText(inner), " inside ", HeaderText(section)),
                     absl::StrCat("close ", HeaderText(storage), " above it"));
    }
    if (absl::Status status = CheckBlobDirectory(inner, storage, blobs_external); !status.ok()) return status;
    if (inner.type != kFileStorageType) {
      const Section* const before = *found;
      *found = nullptr;
      absl::Status status = Find(inner, storage, blobs_external, found);
      if (!status.ok()) return status;
      if (*found == nullptr) return NothingWrapped(inner);
      if (before == nullptr) continue;
      return SecondFileStorage(**found, *before);
    }
    if (!inner.sections.empty()) {
      return ErrorAt(inner.sections.front().location,
                     absl::StrCat(HeaderText(inner.sections.front()), " inside <filestorage>"),
                     "close <filestorage> above it");
    }
    if (*found != nullptr) return SecondFileStorage(inner, **found);
    *found = &inner;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckBlobDirectory(const Section& section, const Section& storage, bool blobs_external) {
  for (const Key& key : section.keys) {
    if (key.name != "blob-dir" || blobs_external) continue;
    return ErrorAt(key.location, "blob-dir: blobs are not replicated",
                   absl::StrCat("share or copy that directory by other means and say so: add \"blobs external\" to ",
                                HeaderText(storage)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFileStoragePath(const Section& storage, const std::string& directory,
                                                bool blobs_external) {
  const Section* found = nullptr;
  if (absl::Status status = Find(storage, storage, blobs_external, &found); !status.ok()) return status;
  if (found == nullptr) {
    return ErrorAt(storage.location, absl::StrCat("no <filestorage> in ", HeaderText(storage)),
                   "add <filestorage>, a line \"path /path/to/Data.fs\" and </filestorage>, or zeo-conf FILE");
  }
  const absl::StatusOr<SectionValues> values = SectionValues::Read(*found, kFileStorage, directory);
  if (!values.ok()) return values.status();
  return values->Text("path");
}

}  // namespace zrs::config
