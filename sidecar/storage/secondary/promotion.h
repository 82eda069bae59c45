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
    enum class Source {
      kAsItWas,  // it was refused
      kStopped,  // it failed, and the source shows why; so it stays, until a restart by a person
      kEnded,    // it has let go of its file: another one has to take over
    };
    absl::Status status;
    Source source = Source::kAsItWas;  // kEnded where status is OK
    CopyFile::Promoted promoted;       // where status is OK
    filestorage::Boundary end;         // of the file, then
  };
  struct Hooks {
    std::function<bool()> wanted;  // whether anybody still listens; else it is given up while that is possible
    std::function<void()> ending;  // the secondary is about to take in the last of what has arrived
    absl::AnyInvocable<void(Result)> ended;
  };

  // A fence-command that runs, or has run. It outlives a promotion that is given up meanwhile.
  struct Fence;

  // Since when it runs; absent where it does not. `fence` may be null.
  static std::optional<absl::Time> FenceRunsSince(const Fence* fence);
  // How it ended; absent while it runs.
  static std::optional<absl::Status> FenceEnded(const Fence& fence);

  // The answer to whoever asked for it.
  static v1::PromotedStorage Describe(const std::string& storage, const Result& result);

  // All that is referred to outlives it. `fence`: the command of a promotion before this one that was given up, if any:
  // while it still runs for the same upstream it is awaited, and no other is run.
  Promotion(const StorageOptions& options, runtime::Runtime& runtime, SecondarySource& source,
            v1::PromoteRequest::Upstream upstream, std::shared_ptr<Fence>& fence, Hooks hooks);

  void Start();
  // Gives up, without a word to `ended`. False: too late, it ends soon.
  bool Cancel();

 private:
  bool forced() const { return upstream_ == v1::PromoteRequest::UPSTREAM_NO_MATTER; }
  void Look();
  // False, and it is refused, where nobody waits for it any more, or the secondary must not be promoted now.
  bool GoesOn();
  void Refuse(absl::Status status);
  void Rehearse();
  // The answer to whether the upstream is where it must be; absent while that is not known.
  std::optional<absl::Status> JudgeUpstream() const;
  // The same of several addresses, of which none may be a primary that is there.
  std::optional<absl::Status> JudgeSeveral() const;
  absl::Status IsThere() const;
  absl::Status IsGoneSecondary() const;
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
  absl::Duration looked_again_;
  std::shared_ptr<Fence>& fence_;
  std::unique_ptr<runtime::Timer> timer_;
  bool too_late_ = false;                                       // to be given up
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what the source answers
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_PROMOTION_H_
