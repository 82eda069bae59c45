// Whether files could be opened by this process or by another user. Nothing is opened, created or changed.
#ifndef ZRS_SIDECAR_CLI_ACCESS_H_
#define ZRS_SIDECAR_CLI_ACCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace zrs::cli {

struct Account {
  std::string name;  // for people: "user zope", "user 500"
  uid_t user_id = 0;
  gid_t group_id = 0;
  std::vector<gid_t> groups;  // supplementary ones
};

// This process's, with the effective ids.
Account OwnAccount();

// As a service of that user is started: with its groups of this host's data base. Where it is not in there, with
// `fallback_group` alone, or else with that of nobody.
Account AccountOf(uid_t user_id, std::optional<gid_t> fallback_group);

// Of a directory: this user or root, who need not be feared to put something else in the place of what is in there.
bool IsTrustedOwner(uid_t owner);

struct WantedAccess {
  std::string path;
  int how = 0;  // F_OK, or a sum of R_OK, W_OK, X_OK
};

// For each of `wanted` 0, or the system's error number. Permissions of all directories on the way count, and whatever
// else the system asks. As another user than this process's in a child process; PermissionDenied where that cannot
// become that user (only root can). No other thread may run.
absl::StatusOr<std::vector<int>> TryAccess(const Account& account, const std::vector<WantedAccess>& wanted);

}  // namespace zrs::cli

#endif  // ZRS_SIDECAR_CLI_ACCESS_H_
