// What one storage is told, and what it runs on.
#ifndef ZRS_SIDECAR_STORAGE_OPTIONS_H_
#define ZRS_SIDECAR_STORAGE_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "filestorage/file_system.h"
#include "filestorage/tail.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/swap_command.h"
#include "sidecar/transport/message_stream.h"

namespace zrs::storage {

// Makes sure that the primary at `upstream` is written to no more; `done` on any thread, OK only then.
using FenceFunction = std::function<void(const std::string& upstream, absl::AnyInvocable<void(absl::Status)> done)>;

struct StorageOptions {
  std::string name;                    // "1" where the configuration gives none
  std::string path;                    // of the data file, absolute
  std::vector<std::string> upstreams;  // addresses, of which one is followed; empty: this is a primary
  std::string source_name;             // name of the upstream's storage; empty: the only one there
  std::string state_path;              // of the state file; its directory exists
  std::string machine_id;              // for the state file
  std::string node_id;                 // 16 random bytes, of this process and storage
  std::string copy_id;                 // 16 bytes, the same for each process of this storage; empty: not known
  std::string software;                // version, for the peer
  bool blobs_external = false;         // blobs are shared or copied by other means; for status alone
  uint32_t max_followers = 64;
  uint64_t inspect_rate = 200 << 20;  // bytes per second that are read for others who compare; 0: no bound
  absl::Duration poll_interval = absl::Seconds(1);     // behind the file notifications
  absl::Duration keep_alive_delay = absl::Seconds(1);  // a primary's heartbeats; a secondary's longest silence
  absl::Duration max_lag = absl::Minutes(1);           // of a secondary that counts as healthy
  filestorage::FileAccess access;                      // of what a secondary creates; no mode: as the primary's file
  absl::Duration scrub_interval;   // of a secondary: between two comparisons with its upstream; zero: none
  uint64_t scrub_rate = 20 << 20;  // bytes per second, of such a comparison; 0: no bound
  // Of a secondary: from the end of one update of its index to the next; zero: it is not kept up to date.
  absl::Duration index_interval;
  bool keep_old = true;     // of a secondary: keep a file that was replaced, as `Data.fs.old`
  CommandFunction on_swap;  // of a secondary: run after a swap; null: there is none
  FenceFunction fence;      // of a secondary: run before a promotion, and must succeed; null: there is none
  absl::Duration reconnect_first = absl::Milliseconds(100);
  absl::Duration reconnect_most = absl::Seconds(10);
  absl::Duration refused_delay = absl::Seconds(10);   // after a refusal, whose cause is at the peer
  filestorage::TailOptions tail;                      // of a primary: how much it reads at a time
  absl::Duration old_file_time = absl::Hours(1);      // a replaced file that has lost its name is kept open so long
  absl::Duration state_interval = absl::Seconds(10);  // between writes of the durable lower bound

  // The upstreams for people, as the configuration has them.
  std::string UpstreamText() const { return absl::StrJoin(upstreams, " "); }
};

// What a storage runs on; all of it outlives the storage.
struct StorageServices {
  runtime::Runtime& runtime;
  runtime::FileWatcher& watcher;
  filestorage::FileSystem& file_system;
  transport::Dialer& dialer;  // unused by a primary
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_OPTIONS_H_
