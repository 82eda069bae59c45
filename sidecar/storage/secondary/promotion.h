// Makes a primary of a secondary, one step after the other: whether it may be, the fence, the last of what has arrived,
// the durable epoch.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_PROMOTION_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_PROMOTION_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "filestorage/boundary.h"
#include "proto/zrs/v1/admin.pb.h"
#include "proto/zrs/v1/replication.pb.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/options.h"
#include "sidecar/storage/secondary/secondary_source.h"

namespace zrs::storage {

// Everything on the strand. Destroyed after `ended`, or after a successful Cancel.
class Promotion {
 public:
  struct Result {
    // FailedPrecondition: refused, and the secondary is as it was. Else, if not OK, it failed.
    absl::Status status;
    // Whether the source has let go of its file, so that another source has to take over: always where status is OK.
    bool source_ended = false;
    v1::Lineage lineage;        // where status is OK
    filestorage::Boundary end;  // of the file, then
  };
  struct Hooks {
    std::function<bool()> wanted;  // whether anybody still listens; else it is given up while that is possible
    std::function<void()> ending;  // the secondary is about to take in the last of what has arrived
    absl::AnyInvocable<void(Result)> ended;
  };

  // The answer to whoever asked for it.
  static v1::PromotedStorage Describe(const std::string& storage, const Result& result);

  // All that is referred to outlives it.
  Promotion(const StorageOptions& options, runtime::Runtime& runtime, SecondarySource& source,
            v1::PromoteRequest::Upstream upstream, Hooks hooks);

  void Start();
  // Gives up, without a word to `ended`. False: too late, it ends soon.
  bool Cancel();

 private:
  struct Fence;
  void Look();
  // The answer to whether the upstream is where it must be; absent while that is not known.
  std::optional<absl::Status> JudgeUpstream() const;
  void RunFence();
  void AwaitFence();
  void Finish();
  void End(Result result);

  const StorageOptions& options_;
  runtime::Runtime& runtime_;
  SecondarySource& source_;
  const v1::PromoteRequest::Upstream upstream_;
  Hooks hooks_;
  absl::Duration began_;
  std::shared_ptr<Fence> fence_;
  std::unique_ptr<runtime::Timer> timer_;
  bool too_late_ = false;  // to be given up
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_PROMOTION_H_
