#include "sidecar/replication/heartbeat_message.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "filestorage/format.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/id.h"

namespace zrs::replication {
namespace {

absl::Status Malformed(absl::string_view what) { return absl::InvalidArgumentError(what); }

}  // namespace

v1::Heartbeat MakeHeartbeat(const filestorage::Boundary& end, absl::Time now, absl::Duration interval,
                            const std::string& node_id) {
  v1::Heartbeat heartbeat;
  heartbeat.set_committed_end(end.offset);
  heartbeat.set_tid(end.tid);
  heartbeat.set_primary_time_micros(absl::ToUnixMicros(now));
  heartbeat.set_interval_micros(static_cast<uint64_t>(absl::ToInt64Microseconds(interval)));
  heartbeat.add_path(node_id);
  return heartbeat;
}

absl::Status ValidateHeartbeat(const v1::Heartbeat& heartbeat) {
  if (heartbeat.path().empty()) return Malformed("heartbeat without a path");
  if (heartbeat.path_size() > kLongestPath) {
    return Malformed(absl::StrCat("heartbeat that passed ", heartbeat.path_size(), " nodes, more than ", kLongestPath));
  }
  for (const std::string& node : heartbeat.path()) {
    if (node.size() != kIdSize)
      return Malformed(absl::StrCat("heartbeat with a node id of ", node.size(), " bytes, not 16"));
  }
  if (heartbeat.committed_end() < filestorage::kMagicSize || heartbeat.committed_end() > kLargestOffset) {
    return Malformed(absl::StrCat("heartbeat with impossible committed end ", heartbeat.committed_end()));
  }
  if (heartbeat.interval_micros() == 0 || heartbeat.interval_micros() > kMostMicros) {
    return Malformed(absl::StrCat("heartbeat with impossible interval ", heartbeat.interval_micros(), " us"));
  }
  if (heartbeat.age_micros() > kMostMicros) {
    return Malformed(absl::StrCat("heartbeat with impossible age ", heartbeat.age_micros(), " us"));
  }
  return absl::OkStatus();
}

}  // namespace zrs::replication
