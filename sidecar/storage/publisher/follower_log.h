// What the log says of followers that come and go: one that comes to nothing again and again, for the same reason, is
// told of once, then at a low rate, and again when that changes.
#ifndef ZRS_SIDECAR_STORAGE_PUBLISHER_FOLLOWER_LOG_H_
#define ZRS_SIDECAR_STORAGE_PUBLISHER_FOLLOWER_LOG_H_

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/publisher/publisher_connection.h"

namespace zrs::storage {

// Everything on the strand. `runtime` outlives it. Memory is bounded: of the followers that came to nothing only the
// last few hundred are known.
class FollowerLog {
 public:
  FollowerLog(std::string storage_name, runtime::Runtime& runtime);

  // `node_id` as the follower's hello has it, unchecked. Each connection is told of here once, and once of OnClosed.
  void OnConnected(const std::shared_ptr<PublisherConnection>& connection, const std::string& node_id);
  // A session may have moved; `end` is the committed end.
  void OnProgress(uint64_t end);
  void OnClosed(const PublisherConnection& connection);

 private:
  // A stream that has come to nothing so far.
  struct Newcomer {
    std::shared_ptr<const PublisherConnection> connection;
    std::string node_id;
    absl::Duration came;
    bool told = false;               // the log says that it is connected
    std::optional<uint64_t> offset;  // where it began
  };
  // The last stream of this follower came to nothing, and why.
  struct Trouble {
    std::string node_id;
    std::string reason;
    absl::Duration told;  // when the log said so
    uint64_t untold = 0;  // how often since then
  };
  bool ComesToSomething(Newcomer& newcomer, uint64_t end) const;
  std::list<Trouble>::iterator FindTrouble(const std::string& node_id);
  void LogConnected(const PublisherConnection& connection) const;
  void NoteTrouble(const Newcomer& newcomer);

  const std::string storage_name_;
  runtime::Runtime& runtime_;
  std::list<Newcomer> newcomers_;
  std::list<Trouble> troubles_;  // the one that was told of last is the last
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_PUBLISHER_FOLLOWER_LOG_H_
