#include "sidecar/storage/primary/primary_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/heartbeat_message.h"
#include "sidecar/replication/id.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/identity.h"
#include "sidecar/storage/primary/remedies.h"
#include "sidecar/storage/status_fields.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

using filestorage::TailEvent;
using filestorage::TailReport;

// A commit's bytes are handed on from the look at the file that found them, if they are no more than this.
constexpr size_t kMostFresh = 64 << 10;
// The name is absent for a moment during each pack, and a writer may be slow: only after this time it is worth a word.
constexpr absl::Duration kUnsettledGrace = absl::Seconds(3);

}  // namespace

PrimarySource::PrimarySource(const StorageOptions& options, StorageServices services)
    : options_(options),
      services_(services),
      runtime_(services.runtime),
      problem_(options.name, services.runtime),
      file_(options, services.file_system, services.runtime) {}

void PrimarySource::Start(SourceEvents events) {
  events_ = std::move(events);
  TryOpen();
}

// ---- Opening

void PrimarySource::TryOpen() {
  runtime_.PostIo([this] {
    auto opened = file_.Open();
    runtime_.Post([this, opened = std::move(opened)]() mutable { OnOpened(std::move(opened)); });
  });
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

void PrimarySource::WaitForFile(const absl::Status& status, absl::AnyInvocable<void()> try_again) {
  RaisePassing(std::string(status.message()), RemedyOfWaiting(status));
  tick_ = runtime_.After(options_.poll_interval, std::move(try_again));
  events_.changed();
}

void PrimarySource::RaisePassing(const std::string& message, const std::string& remedy) {
  problem_.Raise(message, remedy);
  if (published_ || failed_) return;
  events_.withdrawn(replication::MakeEnd(v1::End::REASON_NOT_READY, message, AtUpstream(remedy)));
}

void PrimarySource::ClearPassing() {
  if (!problem_.raised() || failed_) return;
  problem_.Clear();
  if (published_) return;
  events_.withdrawn(replication::MakeEnd(v1::End::REASON_NOT_READY, unpublished_, kComesBackRemedy));
}

void PrimarySource::OnOpened(absl::StatusOr<PrimaryFile::Opened> opened) {
  if (stopping_) return;
  if (Heals(opened.status())) return WaitForFile(opened.status(), [this] { TryOpen(); });
  if (!opened.ok()) return Fail(std::string(opened.status().message()), RemedyOfOpening(opened.status()));
  ClearPassing();
  state_ = opened->state;
  state_saved_ = runtime_.Now();
  spdlog::info("storage {}: primary of {} from offset {}{}", options_.name, options_.path, opened->end.offset,
               opened->new_identity ? ", with a new database identity" : "");
  if (!state_->rival.empty()) {
    magic_ = opened->magic;
    end_ = opened->end;
    return Supersede(state_->rival);
  }
  if (!opened->pending.empty()) {
    pending_ = true;
    spdlog::info("storage {}: {}; looking whether it is a pack", options_.name, opened->pending);
  }
  BeginScan(*opened);
  // Nobody can know a new identity yet, so copies may begin while the file is still being scanned. Else followers come
  // back with positions that only the whole scan can confirm.
  if (opened->new_identity) Publish();
  ScheduleTick();
  Poll();
}

void PrimarySource::BeginScan(const PrimaryFile::Opened& opened) {
  open_ = true;
  magic_ = opened.magic;
  file_mode_ = opened.file_mode;
  end_ = opened.end;
  fresh_ = {};
  scanning_ = true;
  scan_start_ = end_.offset;
  scan_began_ = runtime_.Now();
  watch_ = services_.watcher.Watch(options_.path, runtime_, [this] { Poll(); });
}

// ---- Following

void PrimarySource::Poll() {
  if (failed_ || stopping_ || !open_ || proving_) return;
  if (polling_) {
    poll_again_ = true;
    return;
  }
  polling_ = true;
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
  if (!report.ok()) {
    Fail(std::string(report.status().message()),
         "the disk or the file cannot be read or synced: mend that, then restart zrs");
  } else if (!failed_) {
    file_size_ = report->file_size;
    const bool scanned = scanning_ && !report->more && report->event != TailEvent::kMissing;
    scanning_ = scanning_ && !scanned;
    OnReport(*report);
    // A bound without transactions would be true of any file.
    if (open_ && published_ && (scanned || (state_->lower_bound.last_offset == 0 && end_.last_offset != 0)))
      SaveState();
    if (!unreadable_.ok() && open_) FailUnreadable();
    // What is committed is not known before the whole file was looked at: a copy of less is not up to date.
    if (published_ && !scanning_ && !stopping_ && !heartbeat_) SendHeartbeat();
  }
  if (!failed_ && open_ && report->more) return Poll();
  if (failed_) return AnswerRefreshes();
  const bool missing = report->event == TailEvent::kMissing;
  if (missing && quiescing_ && published_ && !scanning_) return FinishUnnamed();
  // A pack has taken the name away for a moment: what was committed before is not known until it is back.
  if ((missing && !quiescing_) || AwaitsProof()) KeepRefreshes();
  for (auto& done : std::exchange(refreshing_, {})) done();
  if (std::exchange(poll_again_, false)) Poll();
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
      return OnReplaced(report);
    case TailEvent::kCorrupt:
      return Fail(absl::StrCat(options_.path, " is damaged at offset ", report.position, ": ", report.reason),
                  absl::StrCat("check the file with zrs verify ", options_.path,
                               "; restore it from a backup or from a secondary, then restart zrs"));
  }
  unsettled_since_.reset();
  if (!diverged_) ClearPassing();
  if (pending_ && !report.more && !diverged_) return ProvePending();
  if (!published_ && !pending_ && !report.more) Publish();
  events_.changed();
}

void PrimarySource::OnUnsettled(const std::string& reason, const std::string& remedy) {
  if (diverged_) return;  // which is the graver matter
  if (!unsettled_since_) unsettled_since_ = runtime_.Now();
  if (runtime_.Now() - *unsettled_since_ < kUnsettledGrace) return;
  RaisePassing(reason, remedy);
  events_.changed();
}

void PrimarySource::Publish() {
  if (superseded_) return;
  published_ = true;
  events_.opened({state_->lineage, magic_, end_, file_mode_});
  events_.changed();
}

void PrimarySource::ScheduleTick() {
  tick_ = runtime_.After(options_.poll_interval, [this] { OnTick(); });
}

void PrimarySource::OnTick() {
  // The right file may be on its way: one that is being copied back grows until it has what is missing.
  if (diverged_ && unlooked_ && !proving_ && !polling_) ProvePending();
  Poll();
  if (runtime_.Now() - state_saved_ >= options_.state_interval) SaveState();
  ScheduleTick();
}

void PrimarySource::SendHeartbeat() {
  events_.heartbeat(replication::MakeHeartbeat(end_, runtime_.UnixNow(), options_.keep_alive_delay, options_.node_id));
  heartbeat_ = runtime_.After(options_.keep_alive_delay, [this] { SendHeartbeat(); });
}

void PrimarySource::SaveState() {
  state_saved_ = runtime_.Now();
  state_->lower_bound = end_;
  runtime_.PostIo([this] {
    absl::Status saved = file_.SaveState();
    if (saved.ok()) return;
    // The bound only saves time at the next start; the identity in the old file stays true.
    spdlog::warn("storage {}: {}; the next start scans more of the file", options_.name, saved.ToString());
  });
}

void PrimarySource::Fail(const std::string& message, const std::string& remedy) {
  failed_ = true;
  problem_.Raise(message, remedy, /*lasting=*/true);
  watch_.reset();
  tick_.reset();
  heartbeat_.reset();
  published_ = false;
  // What is to be typed on the host of a primary would be wrong on that of a follower.
  events_.withdrawn(superseded_ ? SupersededEnd(message)
                                : replication::MakeEnd(v1::End::REASON_SOURCE_FAILED, message, AtUpstream(remedy)));
  events_.changed();
  if (!polling_) AnswerRefreshes();
}

// A file that was overwritten or cut in place reads badly too: the next look tells.
void PrimarySource::OnUnreadable(const absl::Status& error) {
  if (failed_ || !open_) return;
  unreadable_ = error;
  Poll();
}

void PrimarySource::FailUnreadable() {
  Fail(std::string(unreadable_.message()),
       absl::StrCat("check the file with zrs verify ", options_.path, ", mend it, then restart zrs"));
}

void PrimarySource::Remember(replication::KnownFollower follower) {
  state_saved_ = runtime_.Now() - options_.state_interval;  // to be saved soon
  runtime_.PostIo([this, follower = std::move(follower)]() mutable { file_.Remember(std::move(follower)); });
}

// ---- Stopping

void PrimarySource::Refresh(absl::AnyInvocable<void()> done) {
  if (failed_ || stopping_ || ((!open_ || proving_) && !AwaitsProof())) return done();
  refreshed_.push_back(std::move(done));
  Poll();
}

void PrimarySource::Quiesce(absl::AnyInvocable<void()> done) {
  auto stop = [this, done = std::move(done)]() mutable {
    stopping_ = true;
    watch_.reset();
    tick_.reset();
    heartbeat_.reset();
    AnswerRefreshes();
    done();
  };
  quiescing_ = true;
  // Nobody waits for the rest of a long scan: the next start goes on with it.
  if (scanning_) return stop();
  Refresh(std::move(stop));
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

void PrimarySource::Close(absl::AnyInvocable<void()> done) {
  stopping_ = true;
  tick_.reset();
  forget_old_.reset();
  // A failed source's end is not worth remembering: what was reported before may be what is wrong.
  if (state_ && !failed_) SaveState();
  runtime_.PostIo([this, done = std::move(done)]() mutable {
    file_.Close();
    runtime_.Post(std::move(done));
  });
}

// ---- Status

void PrimarySource::FillStatus(v1::StorageStatus& status) const {
  status.set_role("primary");
  status.set_state(superseded_  ? "superseded"
                   : failed_    ? "stopped"
                   : diverged_  ? "diverged"
                   : published_ ? "streaming"
                                : "starting");
  problem_.FillStatus(status);
  if (!state_) return;
  FillIdentity(state_->lineage, status);
  if (state_->takes_identity != v1::End::TAKES_IDENTITY_NO) {
    status.set_takes_identity(TakesIdentityName(state_->takes_identity));
  }
  FillPosition(end_, status);
  if (watch_) status.set_watch(watch_->native() ? "inotify" : "poll");
  if (!scanning_ || failed_ || file_size_ <= end_.offset) return;
  FillProgress({scan_start_, end_.offset, file_size_, runtime_.Now() - scan_began_}, *status.mutable_progress());
}

}  // namespace zrs::storage
