// How a secondary ends: by a stop, or as a primary.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/timestamp.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/storage/identity.h"
#include "sidecar/storage/secondary/lateness.h"
#include "sidecar/storage/secondary/secondary_source.h"
#include "spdlog/spdlog.h"

namespace zrs::storage {
namespace {

constexpr absl::Duration kProgressInterval = absl::Seconds(10);

// Says when it is time for a word about work that takes long.
class SlowWork {
 public:
  explicit SlowWork(runtime::Runtime& runtime) : runtime_(runtime) {}
  bool IsDue() {
    if (runtime_.Now() < due_) return false;
    due_ = runtime_.Now() + kProgressInterval;
    return true;
  }

 private:
  runtime::Runtime& runtime_;
  absl::Duration due_ = runtime_.Now() + kProgressInterval;
};

}  // namespace

void SecondarySource::BeginEnding() {
  stopping_ = true;
  index_.Cancel();
  EndComparing("zrs stops, or this storage is promoted");
  retry_.reset();
  look_.reset();
  search_.Stop();
  forget_old_.reset();
  NoteSwapTold();
}

absl::AnyInvocable<void()> SecondarySource::AfterIndex(absl::AnyInvocable<void()> done) {
  return [this, done = std::move(done)]() mutable { index_.WhenIdle(std::move(done)); };
}

void SecondarySource::Quiesce(absl::AnyInvocable<void()> done) {
  BeginEnding();
  if (idle_) {
    writer_.Stop();
    return index_.WhenIdle(std::move(done));
  }
  quiesced_ = AfterIndex(std::move(done));
  // The session is over before what it wished is dropped: so that is no failure of this follower.
  upstream_->Stop(writer_.paused() ? kStopGraceWhilePaused : kStopGrace);
  writer_.Stop();
}

void SecondarySource::Close(absl::AnyInvocable<void()> done) {
  runtime_.PostIo([this, done = std::move(done)]() mutable {
    file_.Close();
    runtime_.Post(std::move(done));
  });
}

// ---- As a primary

absl::Status SecondarySource::CheckPromotable(bool forced) const {
  const auto refuse = [](absl::string_view why) { return absl::FailedPreconditionError(why); };
  if (writer_.paused()) return refuse("it is paused; type zrs resume first");
  if (state_ == SecondaryState::kStopped || state_ == SecondaryState::kStarting) {
    return refuse("its file is not open; zrs status tells why");
  }
  if (unproved_) return refuse("nothing tells yet of which database its file is; zrs status tells more");
  if (resync_) return refuse("it is being resynced");
  if (differs_ && !complete_) {
    return refuse("a resync of it was begun and is not finished: type zrs resync again, which finishes it");
  }
  if (!copy_.magic || !complete_) {
    return refuse(
        "its first copy is not complete: it never had all that the primary has. Take another secondary, or a "
        "backup");
  }
  if (forced) return absl::OkStatus();
  if (state_ == SecondaryState::kDiverged) {
    return refuse("it has diverged from its upstream, as zrs status tells. With --force it is promoted all the same");
  }
  if (state_ == SecondaryState::kDiskFull) {
    return refuse("its disk is full: make room there. With --force it is promoted all the same");
  }
  return absl::OkStatus();
}

void SecondarySource::RehearsePromotion(absl::AnyInvocable<void(absl::Status)> done) {
  runtime_.PostIo([this, done = std::move(done)]() mutable {
    absl::Status would = file_.RehearsePromotion();
    runtime_.Post([done = std::move(done), would = std::move(would)]() mutable { done(std::move(would)); });
  });
}

void SecondarySource::NoteReach() {
  const replication::FollowerSession& session = upstream_->session();
  reach_ = Reach::kThere;
  search_.OnFollowing(replication::CurrentGeneration(session.lineage()), session.upstream_is_secondary());
  followed_ = true;
  stopped_in_order_ = false;
  const bool secondary = session.upstream_is_secondary();
  const bool was_secondary = std::exchange(upstream_is_secondary_, secondary);
  if (was_secondary != secondary || noted_upstream_ != search_.address()) {
    noted_upstream_ = search_.address();
    writer_.NoteUpstream(noted_upstream_, secondary);
  }
  rebuilding_ = session.rebuilding();
  if (rebuilding_) return;
  told_end_ = session.upstream_end();
  if (complete_ || session.state() != replication::FollowerSession::State::kStreaming) return;
  complete_ = true;
  writer_.NoteComplete();
}

void SecondarySource::LookForUpstream() {
  LookAgain();
  if (health_.connected()) return;
  reach_ = Reach::kUnknown;
  if (!idle_ || stopping_) {
    look_soon_ = true;
    return;
  }
  retry_.reset();
  Seek();
}

std::string SecondarySource::DescribeUpstream() const {
  if (health_.connected()) return "it is being followed";
  v1::Upstream status;
  health_.FillStatus(status);
  return absl::StrCat("it says: ", status.last_error());
}

absl::Status SecondarySource::CheckHasAll() const {
  const auto refuse = [](const std::string& why) {
    return absl::FailedPreconditionError(
        absl::StrCat(why,
                     ". Start its zrs again, and stop it once zrs wait there has said that all is here; or promote "
                     "without --wait-for-upstream"));
  };
  const std::string& upstream = search_.address();
  if (upstream_is_secondary_) {
    return refuse(absl::StrCat(upstream, " is a secondary itself, and what its own upstream had is not known here"));
  }
  if (!followed_ && !stopped_in_order_) {
    return refuse(absl::StrCat("this zrs has not followed ", upstream,
                               " since it was started: nothing tells whether all that was committed there is here"));
  }
  if (!stopped_in_order_) {
    return refuse(absl::StrCat("the connection to ", upstream,
                               " was lost, and not ended in order: nothing tells whether ",
                               "all that was committed there is here"));
  }
  if (rebuilding_) return refuse(absl::StrCat(upstream, " stopped while its packed file was on its way"));
  if (told_end_ <= copy_.committed.offset) return absl::OkStatus();
  return refuse(absl::StrCat(upstream, " stopped before the last ", told_end_ - copy_.committed.offset,
                             " bytes of what was committed there were here"));
}

std::vector<std::string> SecondarySource::NotesOnOthers() const {
  std::vector<std::string> notes;
  for (size_t i = 0; search_.several() && i < options_.upstreams.size(); ++i) {
    const UpstreamFinding& finding = search_.choice().finding(i);
    if (finding.end <= copy_.committed.offset) continue;
    notes.push_back(absl::StrCat(options_.upstreams[i], ", another secondary, has ",
                                 finding.end - copy_.committed.offset,
                                 " bytes of transactions more, which are not here: it diverges, and keeps them (zrs "
                                 "resync --dry-run lists them there)"));
  }
  return notes;
}

std::string SecondarySource::DescribeStop() const {
  return absl::StrCat("all that ", search_.address(), " had when it was stopped in order, at ",
                      filestorage::Rfc3339(stopped_at_), ", is here; had it been started again since, nothing of that");
}

void SecondarySource::Finish(absl::AnyInvocable<void()> done) {
  BeginEnding();
  if (idle_) {
    writer_.Stop();
    return index_.WhenIdle(std::move(done));
  }
  quiesced_ = AfterIndex(std::move(done));
  upstream_->HangUp();
  writer_.Stop();
}

void SecondarySource::MakePrimary(absl::AnyInvocable<void(absl::StatusOr<CopyFile::Promoted>)> done) {
  runtime_.PostIo([this, id = RandomId(runtime_), done = std::move(done)]() mutable {
    absl::StatusOr<CopyFile::Promoted> promoted =
        file_.Promote(id, [this, progress = SlowWork(runtime_)](uint64_t at, uint64_t total) mutable {
          if (progress.IsDue()) {
            spdlog::info("storage {}: bringing its index up to date: {} of {} bytes", options_.name, at, total);
          }
          return !hurry_;
        });
    if (!promoted.ok()) file_.Close();
    runtime_.Post([this, done = std::move(done), promoted = std::move(promoted)]() mutable {
      if (!promoted.ok() && !absl::IsResourceExhausted(promoted.status())) {
        Fail(std::string(promoted.status().message()), RemedyOfLocalError(promoted.status()));
      }
      done(std::move(promoted));
    });
  });
}

}  // namespace zrs::storage
