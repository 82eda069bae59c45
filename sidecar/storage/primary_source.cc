#include "sidecar/storage/primary_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/boundary_probe.h"
#include "filestorage/format.h"
#include "sidecar/replication/wire.h"
#include "sidecar/storage/identity.h"
#include "sidecar/storage/status_fields.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

using filestorage::TailEvent;
using filestorage::TailReport;

// The name is absent for a moment during each pack, and a writer may be slow: only after this time it is worth a word.
constexpr absl::Duration kUnsettledGrace = absl::Seconds(3);

std::string ReplacedRemedy(const StorageOptions& options) {
  return absl::StrCat(
      "this zrs does not follow a pack or a restored backup: on the primary's host stop zrs and remove ",
      options.state_path, "; on each secondary's host stop zrs and move the copy and its state file (", options.name,
      ".state in its own state-dir) away; then start all again, for new copies");
}

std::string RemedyOfOpening(const absl::Status& error, const StorageOptions& options) {
  if (absl::IsFailedPrecondition(error)) return ReplacedRemedy(options);
  if (absl::IsUnavailable(error)) return "another zrs serves this file: stop it, or this one; then restart this one";
  return "mend that, then restart zrs";
}

}  // namespace

PrimarySource::PrimarySource(const StorageOptions& options, StorageServices services)
    : options_(options),
      services_(services),
      runtime_(services.runtime),
      problem_(options.name, services.runtime),
      state_file_(services.file_system, options.state_path) {}

void PrimarySource::Start(SourceEvents events) {
  events_ = std::move(events);
  TryOpen();
}

// ---- Opening

absl::StatusOr<State> PrimarySource::LoadOrCreateState(bool& new_identity) {
  auto loaded = state_file_.Load();
  if (!loaded.ok()) return loaded.status();
  new_identity = !loaded->has_value();
  if (new_identity) {
    State state;
    state.path = options_.path;
    state.machine_id = options_.machine_id;
    state.role = "primary";
    state.lineage = NewLineage(runtime_);
    return state;
  }
  State state = **std::move(loaded);
  absl::Status belongs = CheckStateBelongs(state, state_file_.path(), options_.path, options_.machine_id);
  if (!belongs.ok()) return belongs;
  if (state.role != "primary") {
    return absl::FailedPreconditionError(absl::StrCat(
        "state file ", state_file_.path(), " says that ", options_.path,
        " is a secondary's copy; to make this host a primary with a new database identity, remove that state file "
        "(every secondary then needs a new copy), else configure it as a secondary again"));
  }
  return state;
}

// A writer that creates the file writes its magic a moment later: both are "not there yet".
absl::Status PrimarySource::CheckFileIsThere() {
  auto info = services_.file_system.Stat(options_.path);
  if (!info.ok()) return info.status();
  if (!info->is_regular || info->size >= filestorage::kMagicSize) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("open ", options_.path, ": the file is empty so far"));
}

absl::StatusOr<PrimarySource::Opened> PrimarySource::OpenFile() {
  absl::Status there = CheckFileIsThere();
  if (!there.ok()) return there;
  Opened opened;
  auto state = LoadOrCreateState(opened.new_identity);
  if (!state.ok()) return state.status();
  opened.state = *std::move(state);
  auto tail = filestorage::Tail::Open(services_.file_system, options_.path, filestorage::TailOptions{},
                                      opened.state.lower_bound);
  if (!tail.ok()) {
    // It may have become empty since, which heals; another sidecar that holds it does not.
    there = CheckFileIsThere();
    return there.ok() ? tail.status() : there;
  }
  // A writer syncs the file, never its name: without that, a power loss could take away all that was sent.
  absl::Status named = services_.file_system.SyncDirectory(filestorage::DirectoryOf(options_.path));
  if (!named.ok()) return named;
  const absl::StatusOr<filestorage::FileInfo> info = services_.file_system.Stat(options_.path);
  if (info.ok()) opened.file_mode = info->mode & 0777;
  opened.magic = (*tail)->magic();
  opened.end = (*tail)->end();
  if (opened.new_identity) {
    opened.state.lower_bound = opened.end;
    absl::Status saved = state_file_.Save(opened.state);
    if (!saved.ok()) return saved;
  }
  tail_ = *std::move(tail);
  return opened;
}

void PrimarySource::TryOpen() {
  runtime_.PostIo([this] {
    auto opened = OpenFile();
    runtime_.Post([this, opened = std::move(opened)]() mutable { OnOpened(std::move(opened)); });
  });
}

void PrimarySource::OnOpened(absl::StatusOr<Opened> opened) {
  if (stopping_) return;
  if (absl::IsNotFound(opened.status()) || absl::IsPermissionDenied(opened.status())) {
    problem_.Raise(std::string(opened.status().message()),
                   "waiting for it: start the database, or correct the path or the permissions");
    tick_ = runtime_.After(options_.poll_interval, [this] { TryOpen(); });
    events_.changed();
    return;
  }
  if (!opened.ok()) {
    return Fail(std::string(opened.status().message()), RemedyOfOpening(opened.status(), options_));
  }
  problem_.Clear();
  state_ = std::move(opened->state);
  magic_ = opened->magic;
  file_mode_ = opened->file_mode;
  end_ = opened->end;
  scanning_ = true;
  scan_start_ = end_.offset;
  scan_began_ = runtime_.Now();
  state_saved_ = runtime_.Now();
  spdlog::info("storage {}: primary of {} from offset {}{}", options_.name, options_.path, end_.offset,
               opened->new_identity ? ", with a new database identity" : "");
  watch_ = services_.watcher.Watch(options_.path, runtime_, [this] { Poll(); });
  if (!watch_->native()) {
    spdlog::warn("storage {}: no file notifications; looking at the file each {}", options_.name,
                 absl::FormatDuration(options_.poll_interval));
  }
  // Nobody can know a new identity yet, so copies may begin while the file is still being scanned. Else followers come
  // back with positions that only the whole scan can confirm.
  if (opened->new_identity) Publish();
  ScheduleTick();
  Poll();
}

// ---- Following

void PrimarySource::Poll() {
  if (failed_ || stopping_ || !state_) return;
  if (polling_) {
    poll_again_ = true;
    return;
  }
  polling_ = true;
  refreshing_.insert(refreshing_.end(), std::make_move_iterator(refreshed_.begin()),
                     std::make_move_iterator(refreshed_.end()));
  refreshed_.clear();
  runtime_.PostIo([this] {
    auto report = tail_->Poll();
    runtime_.Post([this, report = std::move(report)]() mutable { OnPolled(std::move(report)); });
  });
}

void PrimarySource::OnPolled(absl::StatusOr<TailReport> report) {
  polling_ = false;
  if (!report.ok()) {
    Fail(std::string(report.status().message()),
         "the disk or the file cannot be read or synced: mend that, then restart zrs");
  } else if (!failed_) {
    file_size_ = report->file_size;
    scanning_ = scanning_ && report->more;
    OnReport(*report);
    // What is committed is not known before the whole file was looked at: a copy of less is not up to date.
    if (published_ && !scanning_ && !stopping_ && !heartbeat_) SendHeartbeat();
  }
  if (!failed_ && report->more) return Poll();
  for (auto& done : std::exchange(refreshing_, {})) done();
  if (failed_) {
    for (auto& done : std::exchange(refreshed_, {})) done();
  } else if (std::exchange(poll_again_, false)) {
    Poll();
  }
}

void PrimarySource::OnReport(const TailReport& report) {
  switch (report.event) {
    case TailEvent::kAdvanced:
      end_ = report.end;
      if (published_) events_.advanced(end_);
      break;
    case TailEvent::kNothingYet:
      if (!report.reason.empty()) {
        OnUnsettled(report.reason,
                    absl::StrCat("nothing behind it is replicated; if no writer is at work on the file, it is damaged "
                                 "or was cut short: check it with zrs verify ",
                                 options_.path));
        if (!published_) Publish();
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
      return Fail(report.reason, ReplacedRemedy(options_));
    case TailEvent::kCorrupt:
      return Fail(absl::StrCat(options_.path, " is damaged at offset ", report.position, ": ", report.reason),
                  absl::StrCat("check the file with zrs verify ", options_.path,
                               "; restore it from a backup or from a secondary"));
  }
  unsettled_since_.reset();
  problem_.Clear();
  if (!published_ && !report.more) Publish();
  events_.changed();
}

void PrimarySource::OnUnsettled(const std::string& reason, const std::string& remedy) {
  if (!unsettled_since_) unsettled_since_ = runtime_.Now();
  if (runtime_.Now() - *unsettled_since_ < kUnsettledGrace) return;
  problem_.Raise(reason, remedy);
  events_.changed();
}

void PrimarySource::Publish() {
  published_ = true;
  events_.opened({state_->lineage, magic_, end_, file_mode_});
  events_.changed();
}

void PrimarySource::ScheduleTick() {
  tick_ = runtime_.After(options_.poll_interval, [this] { OnTick(); });
}

void PrimarySource::OnTick() {
  Poll();
  if (runtime_.Now() - state_saved_ >= options_.state_interval) SaveState();
  ScheduleTick();
}

void PrimarySource::SendHeartbeat() {
  v1::Heartbeat heartbeat;
  heartbeat.set_committed_end(end_.offset);
  heartbeat.set_tid(end_.tid);
  heartbeat.set_primary_time_micros(absl::ToUnixMicros(runtime_.UnixNow()));
  heartbeat.set_interval_micros(static_cast<uint64_t>(absl::ToInt64Microseconds(options_.keep_alive_delay)));
  heartbeat.add_path(options_.node_id);
  events_.heartbeat(heartbeat);
  heartbeat_ = runtime_.After(options_.keep_alive_delay, [this] { SendHeartbeat(); });
}

void PrimarySource::SaveState() {
  state_saved_ = runtime_.Now();
  state_->lower_bound = end_;
  runtime_.PostIo([this, state = *state_] {
    absl::Status saved = state_file_.Save(state);
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
  events_.withdrawn(replication::MakeEnd(v1::End::REASON_SOURCE_FAILED, message, remedy));
  events_.changed();
}

void PrimarySource::OnUnreadable(const absl::Status& error) {
  if (failed_) return;
  Fail(std::string(error.message()),
       absl::StrCat("check the file with zrs verify ", options_.path, ", mend it, then restart zrs"));
}

// ---- Stopping

void PrimarySource::Refresh(absl::AnyInvocable<void()> done) {
  if (failed_ || stopping_ || !state_) return done();
  refreshed_.push_back(std::move(done));
  Poll();
}

void PrimarySource::Quiesce(absl::AnyInvocable<void()> done) {
  auto stop = [this, done = std::move(done)]() mutable {
    stopping_ = true;
    watch_.reset();
    tick_.reset();
    heartbeat_.reset();
    done();
  };
  Refresh(std::move(stop));
}

void PrimarySource::Close(absl::AnyInvocable<void()> done) {
  stopping_ = true;
  tick_.reset();
  // A failed source's end is not worth remembering: what was reported before may be what is wrong.
  if (state_ && !failed_) SaveState();
  runtime_.PostIo([this, done = std::move(done)]() mutable {
    tail_.reset();
    runtime_.Post(std::move(done));
  });
}

// ---- Reading and status

absl::StatusOr<size_t> PrimarySource::Read(uint64_t offset, absl::Span<char> out) {
  if (!tail_) return absl::FailedPreconditionError(absl::StrCat("read ", options_.path, ": it is closed"));
  return tail_->Read(offset, out);
}

absl::StatusOr<bool> PrimarySource::HasBoundary(const filestorage::Boundary& boundary) {
  if (!tail_) return absl::FailedPreconditionError(absl::StrCat("read ", options_.path, ": it is closed"));
  return filestorage::HasBoundary([this](uint64_t offset, absl::Span<char> out) { return tail_->Read(offset, out); },
                                  tail_->magic(), boundary);
}

void PrimarySource::FillStatus(v1::StorageStatus& status) const {
  status.set_role("primary");
  status.set_state(failed_ ? "stopped" : published_ ? "streaming" : "starting");
  problem_.FillStatus(status);
  if (!state_) return;
  FillIdentity(state_->lineage, status);
  FillPosition(end_, status);
  if (watch_) status.set_watch(watch_->native() ? "inotify" : "poll");
  if (!scanning_ || failed_ || file_size_ <= end_.offset) return;
  FillProgress({scan_start_, end_.offset, file_size_, runtime_.Now() - scan_began_}, status);
}

}  // namespace zrs::storage
