#include "sidecar/config/database_file.h"

#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sidecar/config/file_storage.h"
#include "sidecar/config/keys.h"
#include "sidecar/config/nearest.h"
#include "sidecar/config/paths.h"
#include "sidecar/config/section_values.h"
#include "sidecar/text/printable.h"

namespace zrs::config {
namespace {

using text::Escaped;
using text::Quoted;

constexpr absl::string_view kNameAnother = "only a storage with one data file can be replicated: name another one";
constexpr size_t kMostNamesTold = 8;

using Sections = std::vector<const Section*>;

// A storage, or what wraps one. Only its type can tell. As deep as sections are nested, which the parser bounds.
bool IsStorage(const Section& section) {
  return absl::EndsWith(section.type, "storage") || section.type == "zeoclient" ||
         std::ranges::any_of(section.sections, IsStorage);
}

absl::string_view NameOf(const Section& storage) {
  return storage.name.empty() ? kUnnamedStorage : absl::string_view(storage.name);
}

absl::Status NoSuchName(const Section& root, const Sections& storages, const std::string& name) {
  const std::string what = absl::StrCat("there is no storage ", Quoted(name));
  if (storages.empty()) {
    return ErrorAt(root.location, absl::StrCat(what, ", nor any other"), "name the configuration of the database");
  }
  std::vector<absl::string_view> names;
  for (const Section* storage : storages) names.push_back(NameOf(*storage));
  std::ranges::stable_sort(names, {}, [&name](absl::string_view other) { return EditDistance(name, other); });
  const size_t told = std::min(names.size(), kMostNamesTold);
  return ErrorAt(root.location, what,
                 absl::StrCat("as zeo-storage, name one of: ",
                              absl::StrJoin(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(told), ", ",
                                            [](std::string* out, absl::string_view one) { *out += Escaped(one); }),
                              told < names.size() ? ", ..." : ""));
}

absl::StatusOr<const Section*> FindStorage(const Section& root, const std::string& name) {
  Sections storages;
  const Section* found = nullptr;
  for (const Section& section : root.sections) {
    if (!IsStorage(section)) continue;
    storages.push_back(&section);
    if (NameOf(section) != name) continue;
    if (found != nullptr) {
      return ErrorAt(section.location,
                     absl::StrCat("a second storage ", Quoted(name), ", after the one at ", found->location.ToString()),
                     "give it a name of its own (one without a name is \"1\")");
    }
    found = &section;
  }
  if (found == nullptr) return NoSuchName(root, storages, name);
  return found;
}

absl::StatusOr<const Section*> OnlyFileStorage(const Section& storage, const Section& section, bool blobs_external) {
  absl::StatusOr<const Section*> found =
      FindFileStorage(storage, {section, kNameAnother, kNameAnother}, blobs_external);
  if (!found.ok() || *found != nullptr) return found;
  return ErrorAt(storage.location, absl::StrCat("no <filestorage> in ", HeaderText(storage)), kNameAnother);
}

absl::StatusOr<std::string> AbsolutePath(const Key& key, const Section& section) {
  if (!key.error.ok()) return key.error;
  absl::StatusOr<std::string> path = ResolvePath(key.value, "/", true);
  if (!path.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(key.location.ToString(), ": path: ", path.status().message()));
  }
  if (absl::StartsWith(key.value, "/")) return path;
  return ErrorAt(key.location,
                 absl::StrCat("path: ", Quoted(key.value), " is relative to where the database is started from"),
                 absl::StrCat("write the absolute path in that line, or in a <filestorage> of ", HeaderText(section),
                              " instead of zeo-conf"));
}

}  // namespace

absl::StatusOr<DatabaseFile> FindDatabaseFile(const Section& root, const std::string& name, const Section& section,
                                              bool blobs_external) {
  const absl::StatusOr<const Section*> storage = FindStorage(root, name);
  if (!storage.ok()) return storage.status();
  const absl::StatusOr<const Section*> file_storage = OnlyFileStorage(**storage, section, blobs_external);
  if (!file_storage.ok()) return file_storage.status();
  const Key* found = nullptr;
  for (const Key& key : (*file_storage)->keys) {
    if (key.name != "path") continue;
    if (found != nullptr) {
      return ErrorAt(key.location, absl::StrCat("a second path, after the one at ", found->location.ToString()),
                     "remove one of them");
    }
    found = &key;
  }
  if (found == nullptr) {
    return ErrorAt((*file_storage)->location, absl::StrCat(HeaderText(**file_storage), " has no path"),
                   "add a line \"path VALUE\" to it");
  }
  absl::StatusOr<std::string> path = AbsolutePath(*found, section);
  if (!path.ok()) return path.status();
  return DatabaseFile{*std::move(path), found->location};
}

}  // namespace zrs::config
