#include "sidecar/storage/primary/primary_source.h"

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

PrimarySource::PrimarySource(const StorageOptions& options, StorageServices services)
    : options_(options),
      services_(services),
      runtime_(services.runtime),
      problem_(options.name, services.runtime),
      look_interval_(options.poll_interval),
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
  crowds_ = 0;
  watch_ = services_.watcher.Watch(options_.path, runtime_, [this] { OnNotified(); });
}

// ---- What is told of it

void PrimarySource::Publish() {
  if (superseded_) return;
  published_ = true;
  events_.opened({state_->lineage, magic_, end_, file_mode_});
  events_.changed();
}

void PrimarySource::ScheduleTick() {
  const bool to_save = runtime_.Now() - state_saved_ >= options_.state_interval;
  const bool settled = published_ && !scanning_ && !unsettled_since_ && !diverged_ && !pending_ && !to_save;
  tick_ = runtime_.After(look_interval_.Next(settled && watch_ && watch_->native()), [this] { OnTick(); });
}

void PrimarySource::OnTick() {
  if (failed_) return;
  // The right file may be on its way: one that is being copied back grows until it has what is missing.
  if (diverged_ && unlooked_ && !proving_ && !polling_) ProvePending();
  Poll(/*by_time=*/!noticed_);
  if (runtime_.Now() - state_saved_ >= options_.state_interval) SaveState();
  ScheduleTick();
}

void PrimarySource::SendHeartbeat() {
  events_.heartbeat(replication::MakeHeartbeat(end_, runtime_.UnixNow(), options_.keep_alive_delay, options_.node_id));
  // A follower answers each one. Came it later than the follower's own delay, of the same length, that one would have
  // woken up just before, to say that it is there.
  const absl::Duration sooner = options_.keep_alive_delay / 20;
  heartbeat_ = runtime_.After(options_.keep_alive_delay - sooner, [this] { SendHeartbeat(); });
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
  pause_.reset();
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
  if (open_ && !failed_ && !stopping_ && !quiescing_) ScheduleTick();
  runtime_.PostIo([this, follower = std::move(follower)]() mutable { file_.Remember(std::move(follower)); });
}

// ---- Stopping

void PrimarySource::Quiesce(absl::AnyInvocable<void()> done) {
  auto stop = [this, done = std::move(done)]() mutable {
    stopping_ = true;
    watch_.reset();
    tick_.reset();
    pause_.reset();
    heartbeat_.reset();
    AnswerRefreshes();
    done();
  };
  quiescing_ = true;
  // Nobody waits for the rest of a long scan: the next start goes on with it.
  if (scanning_) return stop();
  Refresh(std::move(stop));
}

void PrimarySource::Close(absl::AnyInvocable<void()> done) {
  stopping_ = true;
  tick_.reset();
  pause_.reset();
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
