#include "sidecar/storage/primary/remedies.h"

#include "absl/strings/str_cat.h"
#include "sidecar/storage/problem.h"

namespace zrs::storage {

bool Heals(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsPermissionDenied(status) || absl::IsResourceExhausted(status) ||
         absl::IsAborted(status);
}

std::string RemedyOfWaiting(const absl::Status& status) {
  // It is only the state file that is written.
  if (absl::IsResourceExhausted(status)) return "make room on that disk: zrs tries again by itself";
  if (absl::IsAborted(status)) return kFewDescriptorsRemedy;
  return "the copies stay as they are; waiting for the file: start the database, put the file back under its name, or "
         "correct the path or the permissions";
}

std::string RemedyOfOpening(const absl::Status& error) {
  if (absl::IsUnavailable(error)) return "another zrs serves this file: stop it, or this one; then restart this one";
  return "mend that, then restart zrs";
}

std::string SupersededRemedy(const StorageOptions& options) {
  // One that was promoted by zrs keeps a secondary's configuration.
  const std::string follow = options.upstreams.empty()
                                 ? "make this storage its secondary (replicate-from) and start zrs again"
                                 : absl::StrCat("type zrs demote --storage ", options.name, " here, and it follows ",
                                                options.UpstreamText(), ", as its configuration says");
  return absl::StrCat("stop the database here. If the other primary is right, ", follow,
                      "; if this one is right, stop the other's database, make that one the secondary (zrs demote "
                      "there, or replicate-from), and type zrs promote --force --storage ",
                      options.name, " here");
}

std::string DivergedRemedy(const StorageOptions& options) {
  return absl::StrCat(
      "the copies stay as they are. Put the right file back under its name, and zrs goes on by itself. To go on from "
      "the file that is there now (a backup, say), and give up what only the copies have: zrs adopt --restored "
      "--storage ",
      options.name,
      " here, and on each secondary's host zrs resync, which saves beside what only the copy has and goes on without a "
      "new copy; with --dry-run it lists that first");
}

}  // namespace zrs::storage
