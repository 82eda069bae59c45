// The state file of one storage: identity, lineage, and the durable lower bound of the committed end.
#ifndef ZRS_SIDECAR_STORAGE_STATE_FILE_H_
#define ZRS_SIDECAR_STORAGE_STATE_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/known_followers.h"

namespace zrs::storage {

// What the file says, in the types that the rest uses. A plain value.
struct State {
  // How two files are to change places: each one's committed end.
  struct Swap {
    filestorage::Boundary from;  // the live file's
    filestorage::Boundary to;    // that of the file which takes its place
    std::string time;            // when that began, RFC 3339; empty: not known
  };
  // A file that a secondary builds beside its own.
  struct Rebuild {
    v1::Lineage lineage;
    filestorage::Boundary lower_bound;  // durable
    std::optional<Swap> swap;           // decided
  };
  std::string path;
  std::string machine_id;
  std::string role;  // "primary" | "secondary"
  v1::Lineage lineage;
  filestorage::Boundary lower_bound;
  // How far a secondary's scrub is.
  struct Scrub {
    filestorage::Boundary position;  // offset 0: at the beginning
    std::string finished;            // when the last one was, RFC 3339; empty: none
  };
  std::optional<Rebuild> rebuild = std::nullopt;
  uint64_t inode = 0;              // of a primary's file, as a hint; 0: not known
  bool doubted = false;            // a primary's file was replaced by one that was no pack of it
  std::string promoted_from = "";  // what a primary was told to follow when it was promoted; empty: it was not
  bool complete = false;           // a secondary's file has once been all that its primary had
  std::string yielded_epoch = "";  // 16 bytes: that in which a secondary's host was the primary; empty: in none
  uint64_t rival_generation = 0;   // the latest of another primary that was heard of; 0: of none
  std::string rival = "";          // what a primary was told that is superseded; empty: it is not
  // Whether a primary takes another identity from a follower that proves it.
  v1::End::TakesIdentity takes_identity = v1::End::TAKES_IDENTITY_NO;
  std::string upstream = "";  // the address that was followed last; empty: none was
  bool upstream_is_secondary = false;
  std::optional<filestorage::Boundary> kept = std::nullopt;  // where the file ends that a secondary keeps as .old
  std::vector<replication::KnownFollower> followers = {};    // who were here
  std::string difference = "";  // from the upstream's file, as a secondary's comparison found it; empty: none known
  Scrub scrub = {};
  // The time of the last swap, as Swap's, while the command after it has not ended.
  std::optional<std::string> swap_to_tell = std::nullopt;
};

// Blocks on the disk: for the I/O thread. Not thread-safe.
class StateFile {
 public:
  // `path` is the state file's; its directory must exist by the time of Save.
  StateFile(filestorage::FileSystem& file_system, std::string path);

  // nullopt: there is none. InvalidArgument: damaged; Unimplemented: of a later version. Both name the file and what to
  // do.
  absl::StatusOr<std::optional<State>> Load();
  // Replaces the file atomically and durably. What was saved last is not written again, unless `anew`. After an error
  // the file may be either.
  absl::Status Save(const State& state, bool anew = false);

  // Whether a first Save could write: as the disk says. Nothing is changed.
  absl::Status Rehearse();

  const std::string& path() const { return path_; }

 private:
  filestorage::FileSystem& file_system_;
  std::string path_;
  std::string saved_;  // the contents as of the last Load or Save
};

// As the state file and the status say it: "", "new" or "wanted".
const char* TakesIdentityName(v1::End::TakesIdentity takes);

// FailedPrecondition, with what to do, when `state` was written for another data file or on another machine than the
// ones given, as after the cloning of a machine or the copy of a directory. An empty machine id matches any.
absl::Status CheckStateBelongs(const State& state, const std::string& state_path, const std::string& data_path,
                               const std::string& machine_id);

// FailedPrecondition, with what to do, where `state` is that of a secondary's copy.
absl::Status CheckStateIsPrimarys(const State& state, const std::string& state_path);

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_STATE_FILE_H_
