// Asks a publisher what it would answer to this follower, and follows nothing.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_LOOK_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_LOOK_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/replication/copy.h"
#include "sidecar/replication/follower_session.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/secondary/upstream_finding.h"
#include "sidecar/transport/message_stream.h"

namespace zrs::storage {

// Everything on the strand. Dropping it hangs up, without a word to `found`.
class UpstreamLook : public std::enable_shared_from_this<UpstreamLook> {
 public:
  // One that has not answered by then is taken for gone.
  static constexpr absl::Duration kPatience = absl::Seconds(4);

  // `options` and `copy` as for a session. `found` is called once, not from within Start.
  UpstreamLook(runtime::Runtime& runtime, const replication::FollowerOptions& options, replication::Copy copy,
               std::shared_ptr<transport::FollowerStream> stream, std::function<void(UpstreamFinding)> found);
  ~UpstreamLook();
  UpstreamLook(const UpstreamLook&) = delete;
  UpstreamLook& operator=(const UpstreamLook&) = delete;

  void Start();

 private:
  class Events;
  void OnOpen();
  void OnMessage(const v1::PublisherMessage& message);
  void Finish(UpstreamFinding finding);

  runtime::Runtime& runtime_;
  const replication::Copy copy_;
  v1::Hello hello_;
  std::shared_ptr<transport::FollowerStream> stream_;
  std::function<void(UpstreamFinding)> found_;
  std::unique_ptr<runtime::Timer> deadline_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_UPSTREAM_LOOK_H_
