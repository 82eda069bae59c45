// How a primary looks at its file: when, and what it does about what it finds.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/storage/primary/primary_source.h"
#include "sidecar/storage/primary/remedies.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

using filestorage::TailEvent;
using filestorage::TailReport;

// A commit's bytes are handed on from the look at the file that found them, if they are no more than this.
constexpr size_t kMostFresh = 64 << 10;
// Each look costs a sync, here and for each group at the secondaries. Where the writer commits several times between
// two looks, fewer of them cost it less, and the copies some milliseconds.
constexpr absl::Duration kPauseBehindCrowd = absl::Milliseconds(12);
// Transactions that make a crowd: in a look that came at once, and in one behind a pause, which finds two of a writer
// that commits a hundred times a second.
constexpr uint64_t kCrowd = 2;
constexpr uint64_t kCrowdBehindPause = 4;
constexpr int kCrowdsUntold = 2;
// The name is absent for a moment during each pack, and a writer may be slow: only after this time it is worth a word.
constexpr absl::Duration kUnsettledGrace = absl::Seconds(3);

bool FoundNothing(const TailReport& report) { return report.event == TailEvent::kNothingYet && report.reason.empty(); }

}  // namespace

void PrimarySource::OnNotified() {
  noticed_ = true;
  if (!polling_ && !pause_) Poll();
}

void PrimarySource::PauseBehindCrowd() {
  if (crowds_ < kCrowdsUntold && ++crowds_ == kCrowdsUntold) watch_->IgnoreWrites();
  pause_ = runtime_.After(kPauseBehindCrowd, [this] {
    pause_.reset();
    if (noticed_ || crowds_ == kCrowdsUntold) Poll();
  });
}

void PrimarySource::TellWritesAgain() {
  if (std::exchange(crowds_, 0) == kCrowdsUntold && watch_) watch_->TellWrites();
}

void PrimarySource::Poll(bool by_time) {
  const bool in_pause = pause_ != nullptr;
  pause_.reset();
  noticed_ = false;
  if (failed_ || stopping_ || !open_ || proving_) return;
  if (polling_) {
    poll_again_ = true;
    return;
  }
  polling_ = true;
  interrupted_ = in_pause;
  by_time_ = by_time;
  refreshing_.insert(refreshing_.end(), std::make_move_iterator(refreshed_.begin()),
                     std::make_move_iterator(refreshed_.end()));
  refreshed_.clear();
  runtime_.PostIo([this] {
    auto report = file_.Poll();
    runtime_.Post([this, report = std::move(report), fresh = file_.ReadFresh(kMostFresh)]() mutable {
      fresh_ = std::move(fresh);
      OnPolled(std::move(report));
    });
  });
}

void PrimarySource::OnPolled(absl::StatusOr<TailReport> report) {
  polling_ = false;
  if (stopping_) return AnswerRefreshes();
  if (std::exchange(by_time_, false)) {
    const bool found = !report.ok() || !FoundNothing(*report);
    look_interval_.OnLooked(found);
    if (found && !failed_) ScheduleTick();
  }
  if (!report.ok()) {
    Fail(std::string(report.status().message()),
         "the disk or the file cannot be read or synced: mend that, then restart zrs");
  } else if (!failed_) {
    file_size_ = report->file_size;
    const bool crowd = IsCrowd(*report);
    const bool scanned = scanning_ && !report->more && report->event != TailEvent::kMissing;
    scanning_ = scanning_ && !scanned;
    OnReport(*report);
    // A bound without transactions would be true of any file.
    if (open_ && published_ && (scanned || (state_->lower_bound.last_offset == 0 && end_.last_offset != 0)))
      SaveState();
    if (!unreadable_.ok() && open_) FailUnreadable();
    // What is committed is not known before the whole file was looked at: a copy of less is not up to date.
    if (published_ && !scanning_ && !stopping_ && !heartbeat_) SendHeartbeat();
    if (crowd && published_) {
      PauseBehindCrowd();
    } else {
      TellWritesAgain();
    }
  }
  if (!failed_ && open_ && report->more) return Poll();
  if (failed_) return AnswerRefreshes();
  const bool missing = report->event == TailEvent::kMissing;
  const bool unsettled = unsettled_since_ && unsettled_.empty() && !diverged_;
  if (missing && quiescing_ && published_ && !scanning_) return FinishUnnamed();
  // A pack has taken the name away for a moment: what was committed before is not known until it is back.
  if (((missing || unsettled) && !quiescing_) || AwaitsProof()) KeepRefreshes();
  for (auto& done : std::exchange(refreshing_, {})) done();
  if (std::exchange(poll_again_, false) || (noticed_ && !pause_)) Poll();
}

// Of what was there at the start, and of a file that nobody follows, the pace of the writer is not known. Nor does a
// look that somebody asked for in a pause tell it, which found what there was until then.
bool PrimarySource::IsCrowd(const TailReport& report) const {
  if (!published_ || scanning_) return false;
  if (interrupted_ && crowds_ == kCrowdsUntold) return report.as_before();
  return report.event == TailEvent::kAdvanced && report.transactions >= (crowds_ == 0 ? kCrowd : kCrowdBehindPause);
}

void PrimarySource::OnReport(const TailReport& report) {
  switch (report.event) {
    case TailEvent::kAdvanced:
      LogDecreasingTids(options_, end_.offset, report);
      end_ = report.end;
      unlooked_ = true;
      if (published_) events_.advanced(end_);
      break;
    case TailEvent::kNothingYet:
      if (!report.reason.empty()) {
        OnUnsettled(report.reason,
                    absl::StrCat("nothing behind it is replicated; if no writer is at work on the file, it is damaged "
                                 "or was cut short: check it with zrs verify ",
                                 options_.path));
        if (!published_ && !pending_) Publish();
        return;
      }
      break;
    case TailEvent::kAborted:
      spdlog::debug("storage {}: {}", options_.name, report.reason);
      break;
    case TailEvent::kMissing:
      return OnUnsettled(report.reason, "the copies stay as they are; put the file back under its name");
    case TailEvent::kReplaced:
    case TailEvent::kTruncated:
    case TailEvent::kOverwritten:
      unsettled_.clear();
      return OnReplaced(report);
    case TailEvent::kCorrupt:
      return Fail(absl::StrCat(options_.path, " is damaged at offset ", report.position, ": ", report.reason),
                  absl::StrCat("check the file with zrs verify ", options_.path,
                               "; restore it from a backup or from a secondary, then restart zrs"));
  }
  unsettled_since_.reset();
  unsettled_.clear();
  if (!diverged_) ClearPassing();
  if (pending_ && !report.more && !diverged_) return ProvePending();
  if (!published_ && !pending_ && !report.more) Publish();
  events_.changed();
}

void PrimarySource::OnUnsettled(const std::string& reason, const std::string& remedy) {
  if (diverged_) return;  // which is the graver matter
  if (!unsettled_since_) {
    unsettled_since_ = runtime_.Now();
    ScheduleTick();
  }
  if (runtime_.Now() - *unsettled_since_ < kUnsettledGrace) return;
  unsettled_ = reason;
  RaisePassing(reason, remedy);
  events_.changed();
}

absl::Status PrimarySource::end_known() const {
  if (unsettled_.empty()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("what is committed is not known: ", unsettled_));
}

// ---- Looks that are asked for

void PrimarySource::Refresh(absl::AnyInvocable<void()> done) {
  if (failed_ || stopping_ || ((!open_ || proving_) && !AwaitsProof())) return done();
  refreshed_.push_back(std::move(done));
  Poll();
}

void PrimarySource::AnswerRefreshes() {
  for (auto& done : std::exchange(refreshing_, {})) done();
  for (auto& done : std::exchange(refreshed_, {})) done();
}

void PrimarySource::KeepRefreshes() {
  refreshed_.insert(refreshed_.begin(), std::make_move_iterator(refreshing_.begin()),
                    std::make_move_iterator(refreshing_.end()));
  refreshing_.clear();
}

void PrimarySource::FinishUnnamed() {
  polling_ = true;  // nothing else is looked at meanwhile
  runtime_.PostIo([this] {
    auto report = file_.PollUnnamed();
    runtime_.Post([this, report = std::move(report)] {
      polling_ = false;
      if (!report.ok() || !report->as_before()) {
        spdlog::warn("storage {}: {} has no name, and what was committed to it last is not known: {}", options_.name,
                     options_.path, report.ok() ? report->reason : report.status().ToString());
      } else if (!failed_ && report->end != end_) {
        LogDecreasingTids(options_, end_.offset, *report);
        end_ = report->end;
        events_.advanced(end_);
      }
      AnswerRefreshes();
    });
  });
}

}  // namespace zrs::storage
