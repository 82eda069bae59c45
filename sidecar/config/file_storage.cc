#include "sidecar/config/file_storage.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sidecar/config/nearest.h"
#include "sidecar/config/section_values.h"

namespace zrs::config {
namespace {

constexpr absl::string_view kFileStorageType = "filestorage";
constexpr absl::string_view kDemoStorageType = "demostorage";
constexpr absl::string_view kOneEach = "give each a storage section of its own";
constexpr absl::string_view kReplicateTheFile =
    "a copy would not have those changes: leave <filestorage> without it, if its file alone is to be replicated";

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

bool Holds(const Section& section) {
  return section.type == kFileStorageType || std::ranges::any_of(section.sections, Holds);
}

// What only our own configuration has to fulfil: each section in `section`, a part of `storage` (or itself), is there
// for a <filestorage>. What is in a <demostorage> does not matter, it is refused anyway. As deep as sections are
// nested, which the parser bounds.
absl::Status CheckWrappers(const Section& section, const Section& storage) {
  for (const Section& inner : section.sections) {
    if (IsTopLevelType(inner.type)) {
      return ErrorAt(inner.location, absl::StrCat(HeaderText(inner), " inside ", HeaderText(section)),
                     absl::StrCat("close ", HeaderText(storage), " above it"));
    }
    if (inner.type == kDemoStorageType) continue;
    if (!Holds(inner) && inner.sections.empty()) return NothingWrapped(inner);
    if (inner.type == kFileStorageType && !inner.sections.empty()) {
      return ErrorAt(inner.sections.front().location,
                     absl::StrCat(HeaderText(inner.sections.front()), " inside <filestorage>"),
                     "close <filestorage> above it");
    }
    if (absl::Status status = CheckWrappers(inner, storage); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckBlobDirectory(const Section& section, const Section& storage, bool blobs_external) {
  for (const Key& key : section.keys) {
    if (key.name != "blob-dir" || blobs_external) continue;
    return ErrorAt(key.location, "blob-dir: blobs are not replicated",
                   absl::StrCat("share or copy that directory by other means and say so: add \"blobs external\" to ",
                                HeaderText(storage)));
  }
  return absl::OkStatus();
}

// As FindFileStorage, on from `found`. `in` is where the search began.
absl::Status Find(const Section& section, const Section& in, const Owner& owner, bool blobs_external,
                  const Section** found) {
  if (absl::Status status = CheckBlobDirectory(section, owner.storage, blobs_external); !status.ok()) return status;
  if (section.type == kDemoStorageType) {
    return ErrorAt(section.location, absl::StrCat(HeaderText(section), " keeps changes apart from the data file"),
                   owner.kept_apart);
  }
  if (section.type == kFileStorageType) {
    if (*found != nullptr) {
      return ErrorAt(section.location,
                     absl::StrCat("a second <filestorage> in ", HeaderText(in), ", after the one at ",
                                  (*found)->location.ToString()),
                     owner.second);
    }
    *found = &section;
  }
  for (const Section& inner : section.sections) {
    if (absl::Status status = Find(inner, in, owner, blobs_external, found); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<const Section*> FindFileStorage(const Section& whole, const Owner& owner, bool blobs_external) {
  const Section* found = nullptr;
  if (absl::Status status = Find(whole, whole, owner, blobs_external, &found); !status.ok()) return status;
  return found;
}

absl::StatusOr<std::string> ReadFileStoragePath(const Section& storage, const std::string& directory,
                                                bool blobs_external) {
  if (absl::Status status = CheckWrappers(storage, storage); !status.ok()) return status;
  const absl::StatusOr<const Section*> found =
      FindFileStorage(storage, {storage, kOneEach, kReplicateTheFile}, blobs_external);
  if (!found.ok()) return found.status();
  if (*found == nullptr) {
    return ErrorAt(storage.location, absl::StrCat("no <filestorage> in ", HeaderText(storage)),
                   "add <filestorage>, a line \"path /path/to/Data.fs\" and </filestorage>, or zeo-conf FILE");
  }
  const absl::StatusOr<SectionValues> values = SectionValues::Read(**found, kFileStorage, directory);
  if (!values.ok()) return values.status();
  return values->Text("path");
}

}  // namespace zrs::config
