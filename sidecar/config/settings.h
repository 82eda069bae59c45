// The validated configuration: plain values, complete, with every default filled in.
#ifndef ZRS_SIDECAR_CONFIG_SETTINGS_H_
#define ZRS_SIDECAR_CONFIG_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace zrs::config {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct SidecarSettings {
  std::string admin_socket;    // absolute, at most 107 bytes; nothing is known of its directory
  std::string health_address;  // as StorageSettings::listen, and another one than any of these; "": none
  std::string state_dir;       // absolute, without a slash at its end; may not exist yet
  std::string log_file;        // absolute; "": standard error
  LogLevel log_level = LogLevel::kInfo;
  absl::Duration stop_timeout = absl::Seconds(30);

  // Of the storage of that name.
  std::string StatePath(const std::string& storage) const { return state_dir + "/" + storage + ".state"; }
};

// What a storage is follows from `replicate_from`; at least one of it and `listen` is not empty.
struct StorageSettings {
  std::string name;  // lower case; letters, digits, '.', '_', '-'; "1" where the section has none
  std::string path;  // of the data file, absolute
  // "host:port", "[v6]:port", or an absolute path, or several of them with a space in between; "": this is a primary.
  std::string replicate_from;
  std::string listen;           // "port" (all interfaces), or as above; "": no followers
  std::string source_name;      // "": not said
  bool blobs_external = false;  // blobs are shared or copied by other means
  bool insecure = false;        // the same for all storages that share a listening address
  uint32_t max_followers = 64;
  uint64_t inspect_rate = 200 << 20;  // bytes per second that are read for secondaries which compare; 0: no bound
  absl::Duration keep_alive_delay = absl::Seconds(2);  // between heartbeats; a secondary's longest silence upstream
  absl::Duration poll_interval = absl::Seconds(1);     // of a primary
  absl::Duration reconnect_delay = absl::Seconds(10);  // this and what follows, to `mode`: of a secondary
  absl::Duration max_lag = absl::Seconds(60);
  absl::Duration scrub_interval = absl::Hours(7 * 24);  // between two comparisons with the upstream; zero: none
  uint64_t scrub_rate = 20 << 20;                       // bytes per second; 0: no bound
  absl::Duration index_interval = absl::Minutes(10);    // between two updates of the copy's index; zero: none
  bool keep_old = true;                                 // a copy that was replaced is kept as Data.fs.old
  std::string on_swap;                                  // command to run then; "": none
  std::string fence_command;                            // to be run before a promotion; "": none
  std::string owner;                                    // as written, a name or a number; "": not said
  std::string group;
  std::optional<uint32_t> owner_id;  // who the copy's files are given to; none: they stay whose they are
  std::optional<uint32_t> group_id;  // the owner's where only that is said, and known here
  std::optional<uint32_t> mode;      // permission bits of the copy's files, 0600 to 0777; none: as the primary's file
  std::string path_origin;           // "FILE:LINE" of the path in the database's own configuration; "": it is in ours
  std::string file;                  // where the section begins
  int line = 0;

  bool is_primary() const { return replicate_from.empty(); }
};

struct Settings {
  std::string file;  // the configuration's, absolute, as it was named
  SidecarSettings sidecar;
  std::vector<StorageSettings> storages;  // at least one, in the order written; names and data files are distinct
};

}  // namespace zrs::config

#endif  // ZRS_SIDECAR_CONFIG_SETTINGS_H_
