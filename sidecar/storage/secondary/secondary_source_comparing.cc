// A secondary's copy against its upstream's file: proved before it is followed, and compared on demand and by itself.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/secondary/comparison/comparison_report.h"
#include "sidecar/storage/secondary/lateness.h"
#include "sidecar/storage/secondary/secondary_source.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {

using Purpose = Comparisons::Purpose;

namespace {

constexpr absl::Duration kAdoptionPause = absl::Seconds(1);

// Whether each side has something else that is sound there, or only this one has anything: then they went different
// ways, and neither is damaged.
bool HaveParted(const v1::Comparison& report) {
  if (!report.has_here() || report.here().has_damage() || report.upstream().has_damage()) return false;
  return !report.has_upstream() || report.here().tid() != report.upstream().tid();
}

}  // namespace

Comparisons::Wish SecondarySource::WishFor(Purpose purpose) {
  Comparisons::Wish wish;
  wish.purpose = purpose;
  wish.check = [this](const InspectedFile& upstream) { return CheckGeneration(upstream.lineage); };
  if (unproved_) {
    wish.file = {unproved_->magic, unproved_->size,
                 [this](uint64_t offset, absl::Span<char> out) { return file_.ReadUnproved(offset, out); }};
  } else {
    wish.file = {*copy_.magic, copy_.committed.offset,
                 [this](uint64_t offset, absl::Span<char> out) { return file_.Read(offset, out); }};
    wish.lineage = copy_.lineage;
  }
  wish.from = filestorage::FirstBoundary(wish.file.magic);
  return wish;
}

std::string SecondarySource::ComparedAddress() const { return compared_.empty() ? search_.address() : compared_; }

// ---- A file that nobody knows

void SecondarySource::BeginProving() {
  state_ = SecondaryState::kProving;
  proving_.Begin();
  Prove();
}

void SecondarySource::Prove() {
  if (stopping_ || !unproved_ || differs_) return;
  compared_ = options_.upstreams[proving_.address()];
  spdlog::info("storage {}: {} has a file of {} bytes, and no state that tells what it is: it is compared with {}",
               options_.name, options_.path, unproved_->size, ComparedAddress());
  Comparisons::Wish wish = WishFor(Purpose::kAdopt);
  wish.check = [this, check = std::move(wish.check)](const InspectedFile& upstream) {
    absl::Status may_judge = proving_.MayJudge(upstream);
    return may_judge.ok() ? check(upstream) : may_judge;
  };
  wish.done = [this](absl::StatusOr<ComparisonResult> result) { OnProved(std::move(result)); };
  comparisons_.Run(ComparedAddress(), std::move(wish));
  events_.changed();
}

void SecondarySource::GoOnProving(Proving::Step step) {
  if (step == Proving::Step::kAsk) return Prove();
  if (step == Proving::Step::kWait) {
    const bool soon = std::exchange(ask_soon_, false);
    retry_ = runtime_.After(soon ? backoff_.Next(runtime_.Random()) : options_.refused_delay, [this] { Prove(); });
    return events_.changed();
  }
  compared_ = options_.upstreams[proving_.refuted().address];
  OnDifference(proving_.refuted().report);
}

void SecondarySource::OnSilent(const std::string& why, bool soon) {
  problem_.Raise(absl::StrCat(options_.path, " is not known to be a copy of anything, and cannot be compared with ",
                              ComparedAddress(), ": ", why),
                 "zrs tries again by itself; nothing was changed");
  ask_soon_ = ask_soon_ || soon;
  GoOnProving(proving_.NoteSilent(runtime_.Now()));
}

void SecondarySource::OnProved(absl::StatusOr<ComparisonResult> result) {
  if (stopping_ || resync_ || absl::IsCancelled(result.status())) return;
  if (absl::IsInternal(result.status())) {
    return Fail(std::string(result.status().message()), RemedyOfLocalError(result.status()));
  }
  if (absl::IsOutOfRange(result.status())) return GoOnProving(proving_.NotePassedOver(runtime_.Now()));
  if (!result.ok()) return OnSilent(std::string(result.status().message()), absl::IsUnavailable(result.status()));
  const bool unfinished = absl::IsDataLoss(result->here.status());
  const bool within = unproved_->size <= result->upstream.end.offset;
  if (result->unsound.empty() && !result->difference) {
    if (absl::IsNotFound(result->here.status()) || (unfinished && within)) return Adopt(*result);
    if (!unfinished && result->upstream.secondary) {
      return OnSilent("that is a secondary itself, and has less than is here", options_.upstreams.size() > 1);
    }
  }
  if (result->unsound.empty() && unfinished) return AdoptIfUnfinished(*result);
  OnRefuted(*result);
}

void SecondarySource::OnRefuted(const ComparisonResult& result) {
  GoOnProving(
      proving_.NoteRefuted(result.upstream, ReportOf(result, unproved_->size, runtime_.UnixNow()), runtime_.Now()));
}

// A transaction that was being written when the file was copied may have been taken back since.
void SecondarySource::AdoptIfUnfinished(const ComparisonResult& result) {
  runtime_.PostIo([this, result]() mutable {
    const absl::StatusOr<bool> unfinished = file_.UnprovedEndsUnfinished(result.same.offset);
    runtime_.Post([this, unfinished, result = std::move(result)] {
      if (stopping_ || !unproved_ || state_ == SecondaryState::kStopped) return;
      if (!unfinished.ok()) return OnLocalError(unfinished.status());
      *unfinished ? Adopt(result) : OnRefuted(result);
    });
  });
}

void SecondarySource::Adopt(const ComparisonResult& result) {
  if (stopping_) return;
  // What is cut off its end would change it.
  if (writer_.paused()) {
    retry_ = runtime_.After(kAdoptionPause, [this, result] { Adopt(result); });
    return;
  }
  runtime_.PostIo([this, lineage = result.upstream.lineage, same = result.same, size = unproved_->size] {
    absl::Status adopted = file_.AdoptUnproved(lineage, same, size);
    runtime_.Post([this, same, adopted = std::move(adopted)] {
      if (stopping_) return;
      if (!adopted.ok() && !absl::IsUnavailable(adopted) && !absl::IsResourceExhausted(adopted)) {
        return OnLocalError(adopted);
      }
      if (adopted.ok()) {
        spdlog::info("storage {}: {} is the same as the file of {} up to {}: it is its copy from now on", options_.name,
                     options_.path, ComparedAddress(), replication::DescribePosition(same));
        problem_.Clear();
      } else {
        problem_.Raise(std::string(adopted.message()), "zrs tries again by itself");
      }
      unproved_.reset();
      state_ = SecondaryState::kStarting;
      if (adopted.ok()) return TryOpen();
      retry_ = runtime_.After(backoff_.Next(runtime_.Random()), [this] { TryOpen(); });
    });
  });
}

// ---- Where it has diverged

// For its followers that is no divergence: their files are beginnings of this one, and which of two is right is decided
// here.
void SecondarySource::RaiseDiverged(const std::string& message, const std::string& remedy) {
  problem_.Raise(message, remedy);
  Withdraw(
      v1::End::REASON_SOURCE_FAILED,
      absl::StrCat("it is a secondary that has diverged itself, and is followed again once that is decided: ", message),
      absl::StrCat("nothing on this host: once that is decided, it follows again by itself, or tells what it has "
                   "too much; ",
                   AtUpstream(remedy)));
}

void SecondarySource::Locate() {
  if (comparisons_.purpose() || !copy_.magic) return;
  Comparisons::Wish wish = WishFor(Purpose::kLocate);
  wish.done = [this, end = copy_.committed.offset](const absl::StatusOr<ComparisonResult>& result) {
    if (stopping_ || !result.ok() || state_ != SecondaryState::kDiverged) return;
    divergence_ = ReportOf(*result, end, runtime_.UnixNow());
    RaiseDiverged(DescribeDivergence(), DivergenceRemedy());
    events_.changed();
  };
  comparisons_.Run(ComparedAddress(), std::move(wish));
}

std::string SecondarySource::DescribeDivergence() const {
  if (said_diverged_.empty()) return Describe(*divergence_);
  return absl::StrCat("upstream ", ComparedAddress(), ": ", said_diverged_, ". Compared, ", Describe(*divergence_));
}

// Between two primaries it is not for a copy to decide.
std::string SecondarySource::DivergenceRemedy() const {
  const bool conflict = conflict_ && !said_diverged_.empty();
  return std::string(conflict ? replication::kTwoPrimariesRemedy : kDivergedRemedy);
}

void SecondarySource::OnDifference(const v1::Comparison& report) {
  divergence_ = report;
  // Where the upstream has said that they parted, that is why, and no damage.
  if (state_ != SecondaryState::kDiverged) said_diverged_.clear();
  const bool upstream_damaged = report.upstream().has_damage() && !report.here().has_damage();
  const bool damaged = report.here().has_damage() && report.has_upstream() && !report.upstream().has_damage() &&
                       report.same_up_to() != 0;
  const bool parted = !said_diverged_.empty() || HaveParted(report);
  const std::string remedy = upstream_damaged ? kUpstreamDamagedRemedy
                             : parted         ? absl::StrCat(kDivergedRemedy, kComparedRemedy)
                             : damaged        ? kDamagedRemedy
                                              : kDifferenceRemedy;
  differs_ = true;
  seeking_ = false;
  state_ = SecondaryState::kDiverged;
  retry_.reset();
  RaiseDiverged(DescribeDivergence(), remedy);
  if (!unproved_) writer_.NoteDifference(DescribeDivergence());
  if (upstream_) upstream_->Stop(kStopGrace);
  events_.changed();
}

void SecondarySource::OnNoDifference() {
  if (!std::exchange(differs_, false)) return;
  spdlog::info("storage {}: the difference from the upstream's file is no more", options_.name);
  writer_.NoteDifference("");
  divergence_.reset();
  problem_.Clear();
  state_ = SecondaryState::kConnecting;
  if (unproved_) {
    BeginProving();
  } else if (idle_) {
    Seek();
  }
}

// ---- On demand

void SecondarySource::Compare(uint64_t rate, std::function<bool()> wanted,
                              absl::AnyInvocable<void(v1::CompareResponse)> answer) {
  v1::CompareResponse response;
  const auto refuse = [&](absl::string_view why) {
    response.set_result(v1::CompareResponse::RESULT_FAILED);
    response.set_message(absl::StrCat("storage ", options_.name, " is not compared: ", why));
    answer(response);
  };
  if (stopping_) return refuse("zrs stops");
  if (unproved_ && !differs_) return refuse("it is being proved; zrs status tells more");
  if (!unproved_ && !copy_.magic) return refuse("there is no copy, or it is not open; zrs status tells more");
  if (state_ == SecondaryState::kStopped) return refuse("it is stopped, as zrs status tells");
  const std::optional<Purpose> running = comparisons_.purpose();
  if (resync_ || running == Purpose::kCompare || running == Purpose::kAdopt) {
    return refuse("it is being compared already; zrs status tells how far that is");
  }
  if (state_ == SecondaryState::kFollowing) compared_.clear();
  CompareWith(rate, std::move(wanted), 0, std::move(answer));
}

bool SecondarySource::AskNextAddress(size_t* asked) {
  const std::string present = ComparedAddress();
  while (*asked < options_.upstreams.size()) {
    const std::string& next = options_.upstreams[(*asked)++];
    if (next == present) continue;
    compared_ = next;
    return true;
  }
  // Whoever has refuted the file that nobody knows has the last word.
  const std::string judge = unproved_ ? options_.upstreams[proving_.refuted().address] : present;
  compared_ = judge;
  return judge != present;
}

void SecondarySource::CompareWith(uint64_t rate, std::function<bool()> wanted, size_t asked,
                                  absl::AnyInvocable<void(v1::CompareResponse)> answer) {
  Comparisons::Wish wish = WishFor(Purpose::kCompare);
  wish.rate = rate;
  wish.wanted = wanted;
  // One that has diverged is compared with whatever is there.
  if (state_ != SecondaryState::kDiverged && !unproved_) {
    wish.check = [this](const InspectedFile& upstream) { return CheckSameFile(upstream.lineage); };
  }
  wish.done = [this, rate, wanted = std::move(wanted), asked, end = wish.file.end,
               answer = std::move(answer)](absl::StatusOr<ComparisonResult> result) mutable {
    // Of a file that nobody knows another address may have all.
    const bool unhelpful = result.ok() ? unproved_ && result->differs() : !absl::IsCancelled(result.status());
    const bool again = unhelpful && !stopping_ && !resync_;
    if (again && state_ == SecondaryState::kDiverged && AskNextAddress(&asked)) {
      return CompareWith(rate, std::move(wanted), asked, std::move(answer));
    }
    answer(OnCompared(std::move(result), end));
  };
  comparisons_.Run(ComparedAddress(), std::move(wish));
  events_.changed();
}

absl::Status SecondarySource::CheckGeneration(const v1::Lineage& upstream) const {
  const uint64_t told = unproved_ ? proving_.RefutedGeneration(upstream) : 0;
  const uint64_t known = std::max(told, search_.choice().known_generation(OwnGeneration()));
  const uint64_t theirs = replication::CurrentGeneration(upstream);
  if (theirs >= known) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(ComparedAddress(), " is a stale primary, of generation ", theirs,
                                                    ", though generation ", known,
                                                    " is known: nothing is judged by its file"));
}

absl::Status SecondarySource::CheckSameFile(const v1::Lineage& upstream) const {
  if (replication::IsPrefixOf(copy_.lineage, upstream) &&
      !replication::ReplacedSince(copy_.lineage, copy_.committed, upstream)) {
    return absl::OkStatus();
  }
  return absl::UnavailableError(
      "the upstream's file was packed, or replaced, since; try again when the copy has followed that");
}

v1::CompareResponse SecondarySource::OnCompared(absl::StatusOr<ComparisonResult> result, uint64_t end) {
  v1::CompareResponse response;
  if (!result.ok()) {
    response.set_result(v1::CompareResponse::RESULT_FAILED);
    response.set_message(absl::StrCat("storage ", options_.name, " was not compared: ", result.status().message()));
    return response;
  }
  const bool behind = !result->difference && result->unsound.empty() && result->here.ok() && result->upstream.secondary;
  const bool differs = result->differs();
  const v1::Comparison report = ReportOf(*result, end, runtime_.UnixNow());
  response.set_result(differs ? v1::CompareResponse::RESULT_DIFFERENT : v1::CompareResponse::RESULT_SAME);
  response.set_message(absl::StrCat("storage ", options_.name, ": ", Describe(report)));
  *response.mutable_comparison() = report;
  if (behind) {
    response.set_result(v1::CompareResponse::RESULT_FAILED);
    response.set_message(absl::StrCat("storage ", options_.name, ": the upstream, a secondary itself, has less than ",
                                      "this copy, and nothing is known of the rest: ", Describe(report)));
  }
  if (stopping_ || behind) return response;
  differs ? OnDifference(report) : OnNoDifference();
  return response;
}

void SecondarySource::EndComparing(const std::string& why) {
  comparisons_.Cancel(why);
  if (!resync_) return;
  const bool begun = resync_->giving_up;
  AnswerResync(begun ? v1::ResyncResponse::RESULT_FAILED : v1::ResyncResponse::RESULT_REFUSED,
               begun
                   ? absl::StrCat(why, " while what was to be given up was being saved and cut; the log tells whether ",
                                  "that was finished, and so does the status after the next start")
                   : why);
}

// ---- By itself

void SecondarySource::ScrubIfDue() {
  if (comparisons_.purpose() == Purpose::kScrub) {
    if (comparisons_.same() == scrub_.position()) return;
    scrub_.OnPosition(comparisons_.same());
    if (runtime_.Now() - scrub_saved_ < options_.state_interval) return;
    scrub_saved_ = runtime_.Now();
    return writer_.NoteScrub(scrub_.remembered());
  }
  const bool follows = upstream_ && upstream_->session().state() == replication::FollowerSession::State::kStreaming;
  if (stopping_ || !follows || state_ != SecondaryState::kFollowing || comparisons_.purpose() || !scrub_.due()) return;
  Comparisons::Wish wish = WishFor(Purpose::kScrub);
  if (scrub_.position().offset != 0) wish.from = scrub_.position();
  wish.rate = options_.scrub_rate;
  wish.check = [this](const InspectedFile& upstream) { return CheckSameFile(upstream.lineage); };
  wish.done = [this, end = wish.file.end](const absl::StatusOr<ComparisonResult>& result) { OnScrubbed(result, end); };
  comparisons_.Run(ComparedAddress(), std::move(wish));
}

void SecondarySource::OnScrubbed(const absl::StatusOr<ComparisonResult>& result, uint64_t end) {
  if (!result.ok()) {
    return scrub_.OnFailed(absl::IsCancelled(result.status()) ? absl::OkStatus() : result.status());
  }
  if (stopping_ || state_ != SecondaryState::kFollowing) return;
  if (result->differs()) return OnDifference(ReportOf(*result, end, runtime_.UnixNow()));
  scrub_.OnFinished();
  spdlog::info("storage {}: scrubbed: the copy is the same as its upstream's file up to {}", options_.name,
               replication::DescribePosition(result->same));
  writer_.NoteScrub(scrub_.remembered());
}

void SecondarySource::FillComparisons(v1::StorageStatus& status) const {
  comparisons_.FillStatus(status);
  if (divergence_) *status.mutable_divergence() = *divergence_;
  scrub_.FillStatus(comparisons_.purpose() == Purpose::kScrub, status);
}

}  // namespace zrs::storage
