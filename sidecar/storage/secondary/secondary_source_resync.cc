// A copy that has diverged gives up what its upstream does not have.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/timestamp.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/storage/secondary/comparison/comparison_report.h"
#include "sidecar/storage/secondary/lateness.h"
#include "sidecar/storage/secondary/secondary_source.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

// Of those that would be given up, for a person.
constexpr size_t kMostListed = 20;

// What is cut is copied first. Of a file of `end` bytes that has little in common it is cheaper to keep it as it is.
bool IsWhole(const CopyFile::Surplus& surplus, uint64_t end) { return surplus.bytes > end / 2; }

}  // namespace

void SecondarySource::Resync(bool dry_run, std::function<bool()> wanted,
                             absl::AnyInvocable<void(v1::ResyncResponse)> answer) {
  const auto refuse = [&](absl::string_view why) {
    v1::ResyncResponse response;
    response.set_result(v1::ResyncResponse::RESULT_REFUSED);
    response.set_message(absl::StrCat("storage ", options_.name, " is not resynced: ", why));
    answer(response);
  };
  if (stopping_) return refuse("zrs stops");
  if (resync_) return refuse("it is being resynced already");
  if (writer_.paused()) return refuse("it is paused; type zrs resume first");
  if (state_ == SecondaryState::kStopped) return refuse("it is stopped, as zrs status tells");
  if (state_ != SecondaryState::kDiverged) {
    return refuse(
        "it has not diverged, as far as is known. Its upstream is asked every now and then (reconnect-delay): try "
        "again in a moment; zrs compare looks at once");
  }
  if (!copy_.magic && !unproved_) return refuse("there is no copy");
  comparisons_.Cancel("it is being resynced");
  seeking_ = false;
  resync_ = ResyncWish{dry_run, std::move(wanted), std::move(answer)};
  if (!idle_) return upstream_->HangUp();  // it goes on when that has ended
  BeginResync();
}

void SecondarySource::BeginResync() {
  retry_.reset();
  resync_->begun = true;
  Comparisons::Wish wish = WishFor(Comparisons::Purpose::kResync);
  wish.wanted = resync_->wanted;
  wish.done = [this](absl::StatusOr<ComparisonResult> result) { OnResyncCompared(std::move(result)); };
  comparisons_.Run(ComparedAddress(), std::move(wish));
  events_.changed();
}

void SecondarySource::AnswerResync(v1::ResyncResponse response) {
  ResyncWish wish = *std::exchange(resync_, std::nullopt);
  wish.answer(std::move(response));
  // As before it was asked for, where nothing was done.
  if (stopping_ || differs_ || wish.giving_up || state_ == SecondaryState::kStopped) return;
  retry_ = runtime_.After(options_.refused_delay, [this] { Seek(); });
}

void SecondarySource::AnswerResync(v1::ResyncResponse::Result result, const std::string& message) {
  v1::ResyncResponse response;
  response.set_result(result);
  const bool refused = result == v1::ResyncResponse::RESULT_REFUSED;
  response.set_message(
      absl::StrCat("storage ", options_.name, refused ? " is not resynced: " : ", its resync: ", message));
  AnswerResync(std::move(response));
}

void SecondarySource::OnResyncCompared(absl::StatusOr<ComparisonResult> result) {
  if (!resync_) return;
  if (!result.ok() && !absl::IsCancelled(result.status()) && AskNextAddress(&resync_->asked)) return BeginResync();
  if (!result.ok()) {
    return AnswerResync(v1::ResyncResponse::RESULT_REFUSED, std::string(result.status().message()));
  }
  if (result->upstream.end.tid == 0) {
    return AnswerResync(v1::ResyncResponse::RESULT_REFUSED,
                        "there are no transactions in the upstream's file, and nothing is given up for that");
  }
  if (absl::IsDataLoss(result->there.status()) && !absl::IsDataLoss(result->here.status())) {
    return AnswerResync(
        v1::ResyncResponse::RESULT_REFUSED,
        absl::StrCat("the upstream's file is damaged behind offset ", result->same.offset, " (",
                     result->there.status().message(), "), and this one is not: ", kUpstreamDamagedRemedy));
  }
  if (result->unsound.empty() && result->same.offset != 0) {
    runtime_.PostIo([this, end = OwnEnd(), result = *std::move(result)]() mutable {
      auto surplus = file_.Survey(result.same, kMostListed);
      if (surplus.ok()) {
        // Half-way it could only stop. A new copy needs room beside the one that is kept.
        const absl::Status would =
            file_.RehearseGivingUp(IsWhole(*surplus, end) ? result.upstream.end.offset : surplus->bytes);
        if (!would.ok()) {
          surplus = absl::FailedPreconditionError(
              absl::StrCat(would.message(),
                           "; nothing was changed: mend that, for zrs has to write there, and type zrs resync again"));
        }
      }
      runtime_.Post([this, result = std::move(result), surplus = std::move(surplus)]() mutable {
        if (resync_) OnSurveyed(result, std::move(surplus));
      });
    });
    return;
  }
  const std::string why =
      result->unsound.empty()
          ? "the two files begin with other bytes: where it is this one that is damaged, move it and its "
            "state away for a new copy"
          : absl::StrCat("the upstream's file is damaged itself: ", result->unsound);
  AnswerResync(v1::ResyncResponse::RESULT_REFUSED, why);
}

void SecondarySource::OnSurveyed(const ComparisonResult& result, absl::StatusOr<CopyFile::Surplus> surplus) {
  if (!surplus.ok()) {
    return AnswerResync(v1::ResyncResponse::RESULT_REFUSED, std::string(surplus.status().message()));
  }
  v1::ResyncResponse response;
  *response.mutable_comparison() = ReportOf(result, OwnEnd(), runtime_.UnixNow());
  response.set_transactions(surplus->transactions);
  response.set_bytes(surplus->bytes);
  response.set_uncounted_bytes(surplus->uncounted);
  for (const filestorage::ProbedTransaction& one : surplus->first) *response.add_first() = ReportOf(one);
  const bool whole = IsWhole(*surplus, OwnEnd());
  response.set_whole(whole);
  response.set_saved_to(whole ? surplus->moved_to : surplus->cut_to);
  response.set_result(v1::ResyncResponse::RESULT_PLANNED);
  if (resync_->dry_run) return AnswerResync(std::move(response));
  GiveUp(result, std::move(response));
}

void SecondarySource::GiveUp(const ComparisonResult& result, v1::ResyncResponse response) {
  if (writer_.paused()) return AnswerResync(v1::ResyncResponse::RESULT_REFUSED, "it was paused meanwhile");
  index_.OnFileGoes();
  state_ = SecondaryState::kStarting;  // whatever comes of it is found by opening the file
  resync_->giving_up = true;
  CopyFile::GiveUp what{result.upstream.lineage, result.same, unproved_ ? unproved_->size : 0,
                        result.upstream.end.offset <= result.same.offset, filestorage::Rfc3339(runtime_.UnixNow())};
  runtime_.PostIo([this, what = std::move(what), response = std::move(response)]() mutable {
    const auto saved = response.whole() ? file_.MoveAway(what) : file_.CutBack(what);
    if (saved.ok()) {
      // Here, as it is done also where zrs stops meanwhile.
      spdlog::info("storage {}: resynced: gave up {} bytes behind offset {}{}{}", options_.name, response.bytes(),
                   response.comparison().same_up_to(), saved->empty() ? "" : ", saved to ", *saved);
    }
    runtime_.Post([this, response = std::move(response), saved]() mutable {
      if (!resync_) return;
      if (saved.ok()) {
        response.set_saved_to(*saved);
        response.set_result(v1::ResyncResponse::RESULT_DONE);
      }
      OnGivenUp(saved.status());
      if (!resync_) return;
      if (saved.ok()) return AnswerResync(std::move(response));
      AnswerResync(v1::ResyncResponse::RESULT_FAILED, std::string(saved.status().message()));
    });
  });
}

void SecondarySource::OnGivenUp(const absl::Status& status) {
  differs_ = false;
  unproved_.reset();
  divergence_.reset();
  said_diverged_.clear();
  copy_ = {};
  problem_.Clear();
  if (status.ok()) return TryOpen();
  const bool heals = absl::IsResourceExhausted(status) || absl::IsUnavailable(status);
  if (!heals) return Fail(std::string(status.message()), RemedyOfLocalError(status));
  // What was done of it is found by opening the file.
  problem_.Raise(std::string(status.message()), "make room on that disk, and type zrs resync again");
  retry_ = runtime_.After(backoff_.Next(runtime_.Random()), [this] { TryOpen(); });
}

}  // namespace zrs::storage
