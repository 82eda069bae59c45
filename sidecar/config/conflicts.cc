#include "sidecar/config/conflicts.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "sidecar/config/paths.h"

namespace zrs::config {
namespace {

using Seen = std::map<std::string, const StorageSettings*>;

std::string Where(const StorageSettings& storage) { return absl::StrCat(storage.file, ":", storage.line); }

absl::Status Error(const StorageSettings& storage, absl::string_view what, absl::string_view remedy) {
  return absl::InvalidArgumentError(absl::StrCat(Where(storage), ": ", what, "; ", remedy));
}

absl::Status CheckName(const StorageSettings& storage, Seen* names) {
  const auto [other, is_new] = names->emplace(storage.name, &storage);
  if (is_new) return absl::OkStatus();
  return Error(storage,
               absl::StrCat("a second storage \"", storage.name, "\", after the one at ", Where(*other->second)),
               "give it a name of its own, as in <zrs NAME> (a section without a name is storage \"1\")");
}

absl::Status CheckFile(const StorageSettings& storage, const Environment& environment, Seen* files) {
  const auto [other, is_new] = files->emplace(IdentifyingPath(storage.path, environment), &storage);
  if (is_new) return absl::OkStatus();
  return Error(storage,
               absl::StrCat("the data file ", storage.path, " is also that of storage \"", other->second->name,
                            "\" at ", Where(*other->second)),
               "each storage needs a file of its own");
}

absl::Status CheckListen(const StorageSettings& storage, const Settings& settings, Seen* addresses) {
  if (storage.listen.empty()) return absl::OkStatus();
  if (storage.listen == settings.sidecar.admin_socket) {
    return Error(storage, absl::StrCat("listens on ", storage.listen, ", which is the admin-socket"),
                 "choose another address for followers");
  }
  if (storage.listen == settings.sidecar.health_address) {
    return Error(storage, absl::StrCat("listens on ", storage.listen, ", which is the health-address"),
                 "choose another address for one of the two");
  }
  const auto [other, is_new] = addresses->emplace(storage.listen, &storage);
  if (is_new || other->second->insecure == storage.insecure) return absl::OkStatus();
  return Error(storage,
               absl::StrCat("shares the address ", storage.listen, " with storage \"", other->second->name, "\" at ",
                            Where(*other->second), ", but only one of them says insecure"),
               "say the same in both, or give them different addresses");
}

}  // namespace

absl::Status CheckConflicts(const Settings& settings, const Environment& environment) {
  Seen names;
  Seen files;
  Seen addresses;
  for (const StorageSettings& storage : settings.storages) {
    if (absl::Status status = CheckName(storage, &names); !status.ok()) return status;
    if (absl::Status status = CheckFile(storage, environment, &files); !status.ok()) return status;
    if (absl::Status status = CheckListen(storage, settings, &addresses); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace zrs::config
