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
// One that is there may be about to end: its last word is on its way.
constexpr absl::Duration kShortestLook = absl::Seconds(1);
// An upstream that has not answered in this time is taken for gone.
constexpr absl::Duration kLongestLook = absl::Seconds(5);

}  // namespace

// Shared with the command, which may outlive the process's interest in it.
struct Promotion::Fence {
  std::mutex mutex;
  std::optional<absl::Status> ended;  // guarded by mutex; absent while it runs
};

v1::PromotedStorage Promotion::Describe(const std::string& storage, const Result& result) {
  v1::PromotedStorage answer;
  answer.set_name(storage);
  if (!result.status.ok()) {
    const bool refused = !result.source_ended;
    answer.set_result(refused ? v1::PromotedStorage::RESULT_REFUSED : v1::PromotedStorage::RESULT_FAILED);
    answer.set_message(absl::StrCat(
        "storage ", storage, refused ? " is not promoted: " : " could not be promoted: ", result.status.message()));
    return answer;
  }
  answer.set_result(v1::PromotedStorage::RESULT_PROMOTED);
  answer.set_generation(replication::CurrentEpoch(result.lineage)->generation());
  answer.set_committed_end(result.end.offset);
  answer.set_last_tid(filestorage::TidHex(result.end.tid));
  if (const auto time = filestorage::Rfc3339FromTid(result.end.tid); time.ok()) answer.set_last_tid_time(*time);
  return answer;
}

Promotion::Promotion(const StorageOptions& options, runtime::Runtime& runtime, SecondarySource& source,
                     v1::PromoteRequest::Upstream upstream, Hooks hooks)
    : options_(options), runtime_(runtime), source_(source), upstream_(upstream), hooks_(std::move(hooks)) {}

void Promotion::Start() {
  began_ = runtime_.Now();
  if (absl::Status may = source_.CheckPromotable(); !may.ok()) return End({may, false, {}, {}});
  if (upstream_ != v1::PromoteRequest::UPSTREAM_NO_MATTER) source_.LookForUpstream();
  if (upstream_ == v1::PromoteRequest::UPSTREAM_WAIT_UNTIL_GONE) {
    spdlog::info("storage {}: its promotion waits for the end of {}", options_.name, options_.upstream);
  }
  Look();
}

bool Promotion::Cancel() {
  if (too_late_) return false;
  timer_.reset();
  return true;
}

void Promotion::Look() {
  if (!hooks_.wanted()) return End({absl::CancelledError("nobody waits for the promotion any more"), false, {}, {}});
  const std::optional<absl::Status> judged = JudgeUpstream();
  if (!judged) {
    timer_ = runtime_.After(kLookInterval, [this] { Look(); });
    return;
  }
  if (!judged->ok()) return End({*judged, false, {}, {}});
  RunFence();
}

std::optional<absl::Status> Promotion::JudgeUpstream() const {
  using Reach = SecondarySource::Reach;
  if (upstream_ == v1::PromoteRequest::UPSTREAM_NO_MATTER) return absl::OkStatus();
  const Reach reach = source_.reach();
  if (upstream_ == v1::PromoteRequest::UPSTREAM_WAIT_UNTIL_GONE) {
    if (reach != Reach::kGone) return std::nullopt;
    return source_.CheckHasAll();
  }
  const absl::Duration looked = runtime_.Now() - began_;
  if (reach == Reach::kThere) {
    if (looked < kShortestLook) return std::nullopt;
    return absl::FailedPreconditionError(absl::StrCat(
        "its upstream ", options_.upstream, " can be reached (", source_.DescribeUpstream(),
        "), and a second primary would be one too many. To switch over: stop the database there, then its "
        "zrs, and promote with --wait-for-upstream. With --force it is promoted whatever the upstream is"));
  }
  if (reach == Reach::kUnknown && looked < kLongestLook) return std::nullopt;
  return absl::OkStatus();
}

void Promotion::RunFence() {
  if (!options_.fence) return Finish();
  spdlog::info("storage {}: running the fence-command", options_.name);
  fence_ = std::make_shared<Fence>();
  options_.fence([fence = fence_](absl::Status status) {
    const std::lock_guard<std::mutex> lock(fence->mutex);
    fence->ended = std::move(status);
  });
  AwaitFence();
}

void Promotion::AwaitFence() {
  std::optional<absl::Status> ended;
  {
    const std::lock_guard<std::mutex> lock(fence_->mutex);
    ended = fence_->ended;
  }
  if (!ended) {
    timer_ = runtime_.After(kLookInterval, [this] { AwaitFence(); });
  } else if (!ended->ok()) {
    End({absl::FailedPreconditionError(absl::StrCat("the fence-command is no success: ", ended->message(),
                                                    "; without it the old primary may still be written to")),
         false,
         {},
         {}});
  } else {
    Finish();
  }
}

void Promotion::Finish() {
  too_late_ = true;
  hooks_.ending();
  source_.Finish([this] {
    source_.MakePrimary([this](absl::StatusOr<v1::Lineage> lineage) {
      Result result{lineage.status(), /*source_ended=*/true, {}, {}};
      if (lineage.ok()) {
        result.lineage = *std::move(lineage);
        result.end = replication::LeftBoundary(*replication::CurrentEpoch(result.lineage));
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
