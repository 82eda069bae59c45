#include "sidecar/config/conflicts.h"

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sidecar/address/address.h"
#include "sidecar/config/paths.h"

namespace zrs::config {
namespace {

using address::Address;
using address::ParseAddress;

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

// `localhost` is the first loopback address of each family.
bool IsLocalhost(const Address& address) {
  return address.host == "localhost" || address.host == "127.0.0.1" || address.host == "::1";
}

// Whether one of the two keeps the other from being bound, as far as names tell. Not so 127.0.0.1 and ::1, nor the
// further addresses of the loopback interface.
bool Collide(const Address& one, const Address& other) {
  if (one == other) return true;
  if (one.is_unix() || other.is_unix() || one.port != other.port) return false;
  if (IsEveryInterface(one) || IsEveryInterface(other)) return true;
  const bool by_name = one.host == "localhost" || other.host == "localhost";
  return by_name && IsLocalhost(one) && IsLocalhost(other);
}

bool Collide(const std::string& one, const std::string& other) {
  const absl::StatusOr<Address> first = ParseAddress(one);
  const absl::StatusOr<Address> second = ParseAddress(other);
  return first.ok() && second.ok() && Collide(*first, *second);
}

// Against the storages before it.
absl::Status CheckShared(const StorageSettings& storage, Seen* addresses) {
  const auto same = addresses->find(storage.listen);
  if (same != addresses->end()) {
    const StorageSettings& other = *same->second;
    if (other.insecure == storage.insecure) return absl::OkStatus();
    return Error(storage,
                 absl::StrCat("shares the address ", storage.listen, " with storage \"", other.name, "\" at ",
                              Where(other), ", but only one of them says insecure"),
                 "say the same in both, or give them different addresses");
  }
  for (const auto& [address, other] : *addresses) {
    if (!Collide(storage.listen, address)) continue;
    return Error(storage,
                 absl::StrCat("listens on ", storage.listen, ", and storage \"", other->name, "\" at ", Where(*other),
                              " on ", address, ": the same port of the same interface"),
                 "write the same address in both to share it, or another port");
  }
  addresses->emplace(storage.listen, &storage);
  return absl::OkStatus();
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
  if (Collide(storage.listen, settings.sidecar.health_address)) {
    return Error(storage,
                 absl::StrCat("listens on ", storage.listen, ", and the health-address is ",
                              settings.sidecar.health_address, ": the same port of the same interface"),
                 "choose another port for one of the two");
  }
  return CheckShared(storage, addresses);
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
