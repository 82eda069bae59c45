#include "sidecar/storage/secondary/secondary_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/timestamp.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/identity.h"
#include "sidecar/storage/secondary/lateness.h"
#include "sidecar/storage/status_fields.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

constexpr absl::Duration kHealthInterval = absl::Seconds(1);
constexpr absl::Duration kCalmInterval = absl::Seconds(2);
constexpr absl::Duration kPlaceCheck = absl::Seconds(5);  // of a copy that is up to date
// A connection that has lasted so long does not break at once.
constexpr absl::Duration kSettled = absl::Seconds(10);

using SessionState = replication::FollowerSession::State;

}  // namespace

SecondarySource::SecondarySource(const StorageOptions& options, StorageServices services)
    : options_(options),
      services_(services),
      runtime_(services.runtime),
      problem_(options.name, services.runtime),
      file_(options, services.file_system),
      index_(options_, runtime_, services.file_system, file_),
      writer_(
          options.name, runtime_, file_,
          {.failed = [this](const absl::Status& status) { OnLocalError(status); },
           .created = [this](const replication::CreateCopy& create) { OnCreated(create); },
           .adopted = [this](const v1::Lineage& lineage) { EnterEpoch(lineage); },
           .swapping =
               [this] {
                 index_.OnFileGoes();
                 Withdraw(v1::End::REASON_REPLACED, "the copy here is replaced by a packed one",
                          "none needed: the follower comes back at once");
               },
           .swapped = [this](const replication::SwapCopy& swap, const std::string& time) { OnSwapped(swap, time); }}),
      swap_command_(options.name, options.on_swap),
      search_(options_, services_, [this] { OnSearched(); }),
      health_(options_, runtime_, problem_),
      comparisons_(options_, runtime_, services_.dialer),
      scrub_(options.scrub_interval, runtime_),
      proving_(options.upstreams.size()),
      backoff_(options.reconnect_first, options.reconnect_most) {}

void SecondarySource::Start(SourceEvents events) {
  events_ = std::move(events);
  ScheduleHealth();
  TryOpen();
}

void SecondarySource::ScheduleHealth() {
  const bool calm = state_ == SecondaryState::kFollowing && runtime_.Now() - stream_began_ >= kSettled &&
                    health_.connected() && !problem_.raised();
  look_ = runtime_.After(calm ? std::min(kCalmInterval, options_.max_lag) : kHealthInterval, [this] {
    health_.Report(state_, upstream_.get(), copy_.committed);
    swap_command_.RunIfDue();
    NoteSwapTold();
    comparisons_.Tick();
    ScrubIfDue();
    TendIndex();
    LookAtOthers();
    events_.changed();
    ScheduleHealth();
  });
}

// ---- Opening

void SecondarySource::TryOpen() {
  runtime_.PostIo([this] {
    auto found = file_.Open();
    runtime_.Post([this, found = std::move(found)]() mutable { OnOpened(std::move(found)); });
  });
}

void SecondarySource::OnOpened(absl::StatusOr<CopyFile::Found> found) {
  if (stopping_) return;
  const bool few_descriptors = absl::IsAborted(found.status());
  if (few_descriptors || absl::IsResourceExhausted(found.status())) {
    if (few_descriptors) {
      problem_.Raise(std::string(found.status().message()), kFewDescriptorsRemedy);
    } else {
      OnLocalError(found.status());
    }
    retry_ = runtime_.After(backoff_.Next(runtime_.Random()), [this] { TryOpen(); });
    return;
  }
  if (!found.ok()) {
    return Fail(std::string(found.status().message()), "nothing was changed; mend that, then restart zrs");
  }
  unproved_ = found->unproved;
  if (unproved_) return BeginProving();
  copy_ = std::move(found->copy);
  complete_ = found->complete;
  upstream_is_secondary_ = found->upstream_is_secondary;
  noted_upstream_ = found->upstream;
  search_.Remember(found->upstream);
  health_.SetUpstream(search_.address());
  LogRecovery(options_.name, options_.path, found->recovery);
  spdlog::info("storage {}: secondary of {} in {}, at {}", options_.name, options_.UpstreamText(), options_.path,
               replication::DescribePosition(copy_.committed));
  state_saved_ = runtime_.Now();
  health_.OnOpened();
  scrub_.OnOpened(std::move(found->scrub));
  differs_ = copy_.magic && !found->difference.empty();
  if (copy_.magic && !differs_) Publish();
  if (found->swap_to_tell) {
    // Of the process before, which was ended before the command had.
    const bool known = !found->swap_to_tell->empty();
    swap_command_.Run(known ? *found->swap_to_tell : filestorage::Rfc3339(runtime_.UnixNow()));
  }
  if (!differs_) return Seek();
  state_ = SecondaryState::kDiverged;
  RaiseDiverged(found->difference, kDifferenceRemedy);
  Locate();
  events_.changed();
}

void SecondarySource::Publish() {
  published_ = true;
  events_.opened({copy_.lineage, *copy_.magic, copy_.committed, copy_.file_mode, /*secondary=*/true});
}

// ---- Following

void SecondarySource::Connect() {
  if (stopping_ || state_ == SecondaryState::kStopped || differs_) return;
  if (state_ == SecondaryState::kStarting || state_ == SecondaryState::kFollowing) state_ = SecondaryState::kConnecting;
  idle_ = false;
  health_.SetUpstream(search_.address());
  replication::FollowerOptions options;
  options.storage = options_.source_name;
  options.follower_name = options_.name;
  options.node_id = options_.node_id;
  options.copy_id = options_.copy_id;
  options.software = options_.software;
  UpstreamConnection::Hooks hooks;
  hooks.write = [this](replication::WriteGroup group) { writer_.Write(upstream_, std::move(group)); };
  hooks.create = [this](replication::CreateCopy create) {
    if (options_.access.mode) create.file_mode = options_.access.mode;
    writer_.Create(upstream_, std::move(create));
  };
  hooks.adopt = [this](const replication::AdoptLineage& adopt) { writer_.Adopt(upstream_, adopt); };
  hooks.prepare = [this](replication::PrepareRebuild prepare) { writer_.Prepare(upstream_, std::move(prepare)); };
  hooks.prove = [this](replication::ProveRebuild prove) { writer_.Prove(upstream_, prove); };
  hooks.swap = [this](replication::SwapCopy swap) { writer_.Swap(upstream_, swap); };
  hooks.changed = [this] { OnChanged(); };
  hooks.closed = [this](const absl::Status& status) { OnDisconnected(status); };
  upstream_ = std::make_shared<UpstreamConnection>(runtime_, std::move(options), copy_, options_.keep_alive_delay,
                                                   services_.dialer.Dial(search_.address()), std::move(hooks));
  upstream_->Start();
  events_.changed();
}

void SecondarySource::OnChanged() {
  const replication::FollowerSession& session = upstream_->session();
  const bool following = session.state() == SessionState::kCopying || session.state() == SessionState::kRebuilding ||
                         session.state() == SessionState::kStreaming;
  if (following && !health_.connected()) {
    health_.OnFollowing();
    if (comparisons_.purpose() == Comparisons::Purpose::kLocate) comparisons_.Cancel("it is followed");
    stream_began_ = runtime_.Now();
    primary_heard_ = stream_began_;
    progressed_ = false;
    // Also by a rebuild: what is compared from now on is this upstream's file.
    divergence_.reset();
    said_diverged_.clear();
    compared_.clear();
    if (!session.rebuilding()) {
      EnterEpoch(session.lineage());
      // What was being built is for an epoch that the upstream is not in.
      if (std::exchange(copy_.rebuild, std::nullopt)) writer_.DropRebuild();
    }
    // A copy that had diverged may be proved again, after its upstream was mended.
    if (copy_.magic && !published_ && !session.rebuilding()) Publish();
    // While something is wrong that may be so again at once: it is said when it is over.
    if (!problem_.raised()) LogFollowing();
  }
  if (following) NoteReach();
  const bool advanced = copy_.magic && !session.rebuilding() && session.durable().offset > copy_.committed.offset;
  if (following) NoteProgress(advanced);
  if (advanced) {
    copy_.committed = session.durable();
    if (published_) events_.advanced(copy_.committed);
    SaveStateNowAndThen();
  }
  const std::optional<v1::Heartbeat> heartbeat = health_.OnHeartbeat(session, copy_.committed.offset);
  if (heartbeat && published_) events_.heartbeat(*heartbeat);
  CheckPlaceNowAndThen();
  events_.changed();
}

// A connection alone proves nothing: a disk that is still full, or a link that breaks again at once, is the same
// trouble as before, and asked again ever more seldom.
void SecondarySource::NoteProgress(bool advanced) {
  const replication::FollowerSession& session = upstream_->session();
  advanced = advanced || (session.rebuilding() && session.durable().offset > session.start_offset());
  const bool settled = runtime_.Now() - stream_began_ >= kSettled;
  if (advanced || settled) backoff_.Reset();
  if (progressed_ || (!advanced && session.state() != SessionState::kStreaming)) {
    // While it is paused nothing can advance: what was wrong with the connection is over.
    if (state_ == SecondaryState::kConnecting && writer_.paused()) health_.OnProgress();
    if (state_ == SecondaryState::kConnecting || state_ == SecondaryState::kDiverged)
      state_ = SecondaryState::kFollowing;
    return;
  }
  progressed_ = true;
  state_ = SecondaryState::kFollowing;
  const bool in_trouble = problem_.raised();
  health_.OnProgress();
  if (in_trouble) LogFollowing();
}

void SecondarySource::LogFollowing() const {
  spdlog::info("storage {}: following {} from offset {}", options_.name, search_.address(),
               upstream_->session().start_offset());
}

void SecondarySource::OnCreated(const replication::CreateCopy& create) {
  complete_ = false;
  copy_.lineage = create.lineage;
  copy_.yields = false;
  copy_.magic = create.magic;
  copy_.file_mode = create.file_mode.value_or(0);
  copy_.committed = filestorage::FirstBoundary(create.magic);
  Publish();
}

void SecondarySource::CheckPlaceNowAndThen() {
  if (!copy_.magic || runtime_.Now() - place_checked_ < kPlaceCheck) return;
  place_checked_ = runtime_.Now();
  writer_.CheckPlace();
}

void SecondarySource::SaveStateNowAndThen() {
  if (runtime_.Now() - state_saved_ < options_.state_interval) return;
  state_saved_ = runtime_.Now();
  writer_.SaveState();
}

// ---- When it breaks

void SecondarySource::OnLocalError(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) {
    state_ = SecondaryState::kDiskFull;
    problem_.Raise(std::string(status.message()),
                   "make room on that disk: replication goes on by itself as soon as it can write");
    // A swap that was to be, and was not.
    if (copy_.magic && !published_) Publish();
    events_.changed();
    return;
  }
  Fail(std::string(status.message()), RemedyOfLocalError(status));
}

void SecondarySource::OnDisconnected(const absl::Status& status) {
  health_.OnDisconnected(upstream_->session(), copy_.committed.offset);
  search_.OnLost();
  const absl::Duration delay = DelayAfter(status);
  const bool refuted = upstream_->session().rebuild_refuted();
  // Whatever the reason, what was appended and not committed must go before anything else is written over it.
  writer_.Cut(refuted, [this, delay](const absl::Status& cut, std::optional<replication::RebuildCopy> rebuild) {
    copy_.rebuild = std::move(rebuild);
    OnCut(cut, delay);
  });
  events_.changed();
}

absl::Duration SecondarySource::DelayAfter(const absl::Status& status) {
  const auto& said = upstream_->session().end();
  const bool answered = said && said->by_publisher;
  const bool stops = answered && said->reason == v1::End::REASON_SHUTDOWN;
  reach_ = answered && !stops ? Reach::kThere : Reach::kGone;
  // One that is about to stop turns away whoever comes back, and tells nothing of what that one has missed.
  const bool welcomed = upstream_->session().upstream_end() > 0;
  if (stops ? welcomed : (answered || upstream_->reached())) stopped_in_order_ = stops;
  if (stops) {
    stopped_at_ = runtime_.UnixNow();
    if (!rebuilding_) told_end_ = std::max(told_end_, upstream_->session().upstream_end());
  }
  const bool left = std::exchange(leaving_, false);
  // Hung up for a resync it is as diverged as before.
  const bool goes_on = stopping_ || differs_ || left || resync_;
  if (goes_on || state_ == SecondaryState::kStopped) return absl::ZeroDuration();
  const std::optional<replication::FollowerEnd>& end = upstream_->session().end();
  if (state_ == SecondaryState::kDiskFull && !(end && end->by_publisher)) return backoff_.Next(runtime_.Random());
  if (end) return DelayAfterEnd(*end);
  const std::string error = status.ok() ? "the upstream closed the connection" : std::string(status.message());
  health_.OnError(error);
  state_ = SecondaryState::kConnecting;
  problem_.Raise(absl::StrCat("not connected to ", search_.address(), ": ", error),
                 "zrs tries again by itself; check that the upstream's zrs runs and can be reached");
  return backoff_.Next(runtime_.Random());
}

absl::Duration SecondarySource::DelayAfterEnd(const replication::FollowerEnd& end) {
  const bool again = health_.OnError(end.message);
  if (end.reason == v1::End::REASON_REPLACED) {
    // A pack is no trouble; what it leads to may be, and is told then.
    health_.OnReplaced();
    if (!again) spdlog::info("storage {}: upstream {}: {}", options_.name, search_.address(), end.message);
    state_ = SecondaryState::kConnecting;
    return backoff_.Next(runtime_.Random());
  }
  const bool diverged = end.reason == v1::End::REASON_DIVERGED || end.reason == v1::End::REASON_CONFLICT;
  const bool others_may_do = search_.several() && end.secondary;
  const std::string why = absl::StrCat("upstream ", search_.address(), ": ", end.message, VouchTrouble(end.message));
  if (!diverged || others_may_do) problem_.Raise(why, VouchRemedy(end.message, RemedyOf(end, options_.state_path)));
  if (end.reason == v1::End::REASON_REFUSED && end.by_publisher) search_.OnTurnedAway();
  if (!search_.several()) asked_ = Asked{search_.address(), end.takes_identity, end.message};
  if (others_may_do) {
    // Its primary may have what it has not.
    state_ = SecondaryState::kConnecting;
    return backoff_.Next(runtime_.Random());
  }
  switch (end.reason) {
    case v1::End::REASON_SHUTDOWN:
    case v1::End::REASON_NOT_READY:
      state_ = SecondaryState::kConnecting;
      return backoff_.Next(runtime_.Random());
    case v1::End::REASON_DIVERGED:
    case v1::End::REASON_CONFLICT:
      if (end.generation > 0) writer_.NoteGeneration(end.generation);
      state_ = SecondaryState::kDiverged;
      said_diverged_ = end.message;
      conflict_ = end.reason == v1::End::REASON_CONFLICT;
      RaiseDiverged(divergence_ ? DescribeDivergence() : why, RemedyOf(end, options_.state_path));
      break;
    default:
      state_ = SecondaryState::kConnecting;
  }
  // The cause is at the peer, and an address may soon lead to another: asked again, but rarely.
  return options_.refused_delay;
}

void SecondarySource::OnCut(const absl::Status& status, absl::Duration delay) {
  upstream_.reset();
  idle_ = true;
  if (!status.ok() && state_ != SecondaryState::kStopped) OnLocalError(status);
  if (quiesced_) return std::exchange(quiesced_, nullptr)();
  if (stopping_ || state_ == SecondaryState::kStopped) return;
  if (resync_ && !resync_->begun) return BeginResync();
  if (differs_ || resync_) return;
  if (state_ == SecondaryState::kDiverged && !divergence_) Locate();
  if (VouchIfAsked()) return;
  retry_ = runtime_.After(std::exchange(look_soon_, false) ? absl::ZeroDuration() : delay, [this] { Seek(); });
}

void SecondarySource::Withdraw(v1::End::Reason reason, const std::string& message, const std::string& remedy) {
  published_ = false;
  events_.withdrawn(replication::MakeEnd(reason, message, remedy));
}

void SecondarySource::Fail(const std::string& why, const std::string& what_to_do) {
  const std::string message = NamingStateFile(why, options_.state_path);
  const std::string remedy = NamingStateFile(what_to_do, options_.state_path);
  state_ = SecondaryState::kStopped;
  EndComparing("the storage has stopped");
  problem_.Raise(message, remedy, /*lasting=*/true);
  retry_.reset();
  if (upstream_) upstream_->Stop(kStopGrace);
  Withdraw(v1::End::REASON_SOURCE_FAILED, message, AtUpstream(remedy));
  events_.changed();
}

void SecondarySource::Remember(replication::KnownFollower follower) {
  state_saved_ = runtime_.Now() - options_.state_interval;  // to be saved soon
  runtime_.PostIo([this, follower = std::move(follower)]() mutable { file_.Remember(std::move(follower)); });
}

void SecondarySource::OnUnreadable(const absl::Status& error) {
  if (state_ != SecondaryState::kStopped) {
    Fail(std::string(error.message()), "check this copy's disk; move the copy and its state file away for a new one");
  }
}

}  // namespace zrs::storage
