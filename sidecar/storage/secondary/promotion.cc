#include "sidecar/storage/secondary/promotion.h"

#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/format.h"
#include "filestorage/timestamp.h"
#include "sidecar/replication/lineage.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

constexpr absl::Duration kLookInterval = absl::Milliseconds(50);
// Of several addresses.
constexpr absl::Duration kLookAgain = absl::Seconds(1);
// One that is there may be about to end: its last word is on its way.
constexpr absl::Duration kShortestLook = absl::Seconds(1);
// An upstream that has not answered in this time is taken for gone; so is one of which nothing is heard: a heartbeat
// comes every two seconds.
constexpr absl::Duration kLongestLook = absl::Seconds(5);

}  // namespace

// Shared with the command, which may outlive the process's interest in it.
struct Promotion::Fence {
  std::string upstream;  // for which it was run
  absl::Time began;
  mutable std::mutex mutex;
  std::optional<absl::Status> ended;  // guarded by mutex; absent while it runs
};

std::optional<absl::Time> Promotion::FenceRunsSince(const Fence* fence) {
  if (fence == nullptr || FenceEnded(*fence)) return std::nullopt;
  return fence->began;
}

std::optional<absl::Status> Promotion::FenceEnded(const Fence& fence) {
  const std::lock_guard<std::mutex> lock(fence.mutex);
  return fence.ended;
}

v1::PromotedStorage Promotion::Describe(const std::string& storage, const Result& result) {
  v1::PromotedStorage answer;
  answer.set_name(storage);
  if (!result.status.ok()) {
    const bool refused = result.source == Result::Source::kAsItWas;
    answer.set_result(refused ? v1::PromotedStorage::RESULT_REFUSED : v1::PromotedStorage::RESULT_FAILED);
    answer.set_message(absl::StrCat(
        "storage ", storage, refused ? " is not promoted: " : " could not be promoted: ", result.status.message()));
    return answer;
  }
  answer.set_result(v1::PromotedStorage::RESULT_PROMOTED);
  answer.set_generation(replication::CurrentGeneration(result.promoted.lineage));
  answer.set_committed_end(result.end.offset);
  answer.set_last_tid(filestorage::TidHex(result.end.tid));
  if (const auto time = filestorage::Rfc3339FromTid(result.end.tid); time.ok()) answer.set_last_tid_time(*time);
  for (const std::string& note : result.promoted.notes) answer.add_notes(note);
  return answer;
}

Promotion::Promotion(const StorageOptions& options, runtime::Runtime& runtime, SecondarySource& source,
                     v1::PromoteRequest::Upstream upstream, std::shared_ptr<Fence>& fence, Hooks hooks)
    : options_(options),
      runtime_(runtime),
      source_(source),
      upstream_(upstream),
      hooks_(std::move(hooks)),
      fence_(fence) {}

void Promotion::Start() {
  began_ = runtime_.Now();
  looked_again_ = began_;
  if (!GoesOn()) return;
  if (!forced()) source_.LookForUpstream();
  if (upstream_ == v1::PromoteRequest::UPSTREAM_WAIT_UNTIL_GONE) {
    spdlog::info("storage {}: its promotion waits for the end of {}", options_.name, source_.search().address());
  }
  Look();
}

bool Promotion::Cancel() {
  if (too_late_) return false;
  timer_.reset();
  return true;
}

bool Promotion::GoesOn() {
  absl::Status may = source_.CheckPromotable(forced());
  if (may.ok() && !hooks_.wanted()) may = absl::CancelledError("nobody waits for the promotion any more");
  const bool goes_on = may.ok();
  if (!goes_on) Refuse(std::move(may));
  return goes_on;
}

void Promotion::Refuse(absl::Status status) { End({std::move(status), Result::Source::kAsItWas, {}, {}}); }

void Promotion::Look() {
  if (!GoesOn()) return;
  const std::optional<absl::Status> judged = JudgeUpstream();
  if (!judged) {
    // Whoever waits for the upstream's end may do so for long.
    const bool soon = upstream_ == v1::PromoteRequest::UPSTREAM_MUST_BE_GONE;
    if (soon && runtime_.Now() - looked_again_ >= kLookAgain) {
      looked_again_ = runtime_.Now();
      source_.LookAgain();
    }
    timer_ = runtime_.After(kLookInterval, [this] { Look(); });
    return;
  }
  if (!judged->ok()) return Refuse(*judged);
  Rehearse();
}

std::optional<absl::Status> Promotion::JudgeUpstream() const {
  using Reach = SecondarySource::Reach;
  if (forced()) return absl::OkStatus();
  const bool several = source_.search().several();
  const Reach reach = source_.reach();
  if (upstream_ == v1::PromoteRequest::UPSTREAM_WAIT_UNTIL_GONE) {
    // Of one that is no primary the end tells nothing.
    if (reach != Reach::kGone && !source_.upstream_is_secondary()) return std::nullopt;
    const absl::Status has_all = source_.CheckHasAll();
    return has_all.ok() && several ? source_.search().JudgeOthers(began_, kLongestLook, /*in_order=*/true) : has_all;
  }
  if (several) return JudgeSeveral();
  const absl::Duration looked = runtime_.Now() - began_;
  const bool there = reach == Reach::kThere && source_.HeardSince(began_);
  if (there) {
    if (looked < kShortestLook) return std::nullopt;
    return IsThere();
  }
  if (reach != Reach::kGone && looked < kLongestLook) return std::nullopt;
  return source_.upstream_is_secondary() ? IsGoneSecondary() : absl::OkStatus();
}

std::optional<absl::Status> Promotion::JudgeSeveral() const {
  const absl::Duration looked = runtime_.Now() - began_;
  std::optional<absl::Status> others = source_.search().JudgeOthers(began_, kLongestLook, /*in_order=*/false);
  if (others && !others->ok()) return others;
  const bool secondary = source_.upstream_is_secondary();
  if (source_.connected() && source_.HeardSince(began_) && (!secondary || source_.hears_primary())) {
    if (looked < kShortestLook) return std::nullopt;
    return IsThere();
  }
  if (source_.connecting() && !(source_.connected() && secondary) && looked < kLongestLook) return std::nullopt;
  // Whose primary none of the addresses may be.
  if (others && secondary && !source_.search().choice().knows_primary()) return IsGoneSecondary();
  return others;
}

absl::Status Promotion::IsThere() const {
  return absl::FailedPreconditionError(
      absl::StrCat("its upstream ", source_.search().address(), " can be reached (", source_.DescribeUpstream(),
                   "), and a second primary would be one too many. To switch over: stop the database there, then its "
                   "zrs, and promote with --wait-for-upstream. With --force it is promoted whatever the upstream is"));
}

absl::Status Promotion::IsGoneSecondary() const {
  return absl::FailedPreconditionError(absl::StrCat(
      "its upstream ", source_.search().address(),
      " is gone, but was a secondary itself, whose primary may be well. Let this one follow that primary "
      "(replicate-from), or another of its secondaries. With --force it is promoted whatever the primary is"));
}

// What a disk that fails, or a file that was taken away, would foil is better known before the old primary is fenced.
void Promotion::Rehearse() {
  source_.RehearsePromotion([this, alive = std::weak_ptr<bool>(alive_)](const absl::Status& would) {
    if (alive.expired()) return;
    if (!would.ok()) {
      return Refuse(absl::FailedPreconditionError(absl::StrCat(would.message(), "; nothing was changed")));
    }
    RunFence();
  });
}

void Promotion::RunFence() {
  if (!options_.fence) return Finish();
  // One that has ended was for a promotion of then: what it fenced may have come back since.
  if (FenceRunsSince(fence_.get())) {
    spdlog::info("storage {}: awaiting the fence-command, which runs since a promotion that was given up",
                 options_.name);
    return AwaitFence();
  }
  spdlog::info("storage {}: running the fence-command", options_.name);
  fence_ = std::make_shared<Fence>();
  fence_->upstream = source_.search().address();
  fence_->began = runtime_.UnixNow();
  options_.fence(fence_->upstream, [fence = fence_](absl::Status status) {
    const std::lock_guard<std::mutex> lock(fence->mutex);
    fence->ended = std::move(status);
  });
  AwaitFence();
}

void Promotion::AwaitFence() {
  if (!GoesOn()) return;
  const std::optional<absl::Status> ended = FenceEnded(*fence_);
  if (!ended) {
    timer_ = runtime_.After(kLookInterval, [this] { AwaitFence(); });
    return;
  }
  const bool another = fence_->upstream != source_.search().address();
  fence_.reset();
  if (another) return RunFence();
  if (!ended->ok()) {
    const std::string why = absl::StrCat("the fence-command is no success: ", ended->message());
    spdlog::warn("storage {}: {}; it stays a secondary", options_.name, why);
    Refuse(absl::FailedPreconditionError(absl::StrCat(
        why, "; without it the old primary may still be written to. Mend what it names, and promote again")));
  } else {
    spdlog::info("storage {}: the fence-command has succeeded", options_.name);
    Finish();
  }
}

void Promotion::Finish() {
  if (!GoesOn()) return;
  too_late_ = true;
  hooks_.ending();
  source_.Finish([this] {
    if (source_.stopped()) {
      return End({absl::AbortedError("writing the last of what had arrived failed, as zrs status tells"),
                  Result::Source::kStopped,
                  {},
                  {}});
    }
    source_.MakePrimary([this, notes = source_.NotesOnOthers()](absl::StatusOr<CopyFile::Promoted> promoted) {
      Result result{promoted.status(), source_.stopped() ? Result::Source::kStopped : Result::Source::kEnded, {}, {}};
      if (promoted.ok()) {
        result.promoted = *std::move(promoted);
        result.promoted.notes.insert(result.promoted.notes.end(), notes.begin(), notes.end());
        if (upstream_ == v1::PromoteRequest::UPSTREAM_WAIT_UNTIL_GONE) {
          result.promoted.notes.push_back(source_.DescribeStop());
        }
        result.end = replication::LeftBoundary(*replication::CurrentEpoch(result.promoted.lineage));
      }
      End(std::move(result));
    });
  });
}

// Not from within a call of the owner's, or of the source's: both are gone afterwards, perhaps.
void Promotion::End(Result result) {
  timer_.reset();
  too_late_ = true;
  runtime_.Post([ended = std::move(hooks_.ended), result = std::move(result)]() mutable { ended(std::move(result)); });
}

}  // namespace zrs::storage
