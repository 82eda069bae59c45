// How a secondary ends: by a stop, or as a primary.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/storage/identity.h"
#include "sidecar/storage/secondary/secondary_source.h"

namespace zrs::storage {

void SecondarySource::BeginEnding() {
  stopping_ = true;
  retry_.reset();
  look_.reset();
  forget_old_.reset();
  NoteSwapTold();
}

void SecondarySource::Quiesce(absl::AnyInvocable<void()> done) {
  BeginEnding();
  if (idle_) {
    writer_.Stop();
    return done();
  }
  quiesced_ = std::move(done);
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

absl::Status SecondarySource::CheckPromotable() const {
  const auto refuse = [](absl::string_view why) { return absl::FailedPreconditionError(why); };
  if (writer_.paused()) return refuse("it is paused; type zrs resume first");
  if (state_ == SecondaryState::kStopped || state_ == SecondaryState::kStarting) {
    return refuse("its file is not open; zrs status tells why");
  }
  if (!copy_.magic || !complete_) {
    return refuse(
        "its first copy is not complete: it never had all that the primary has. Take another secondary, or a "
        "backup");
  }
  return absl::OkStatus();
}

void SecondarySource::NoteReach() {
  const replication::FollowerSession& session = upstream_->session();
  reach_ = Reach::kThere;
  stopped_in_order_ = false;
  rebuilding_ = session.rebuilding();
  if (rebuilding_) return;
  told_end_ = session.upstream_end();
  if (complete_ || session.state() != replication::FollowerSession::State::kStreaming) return;
  complete_ = true;
  writer_.NoteComplete();
}

void SecondarySource::LookForUpstream() {
  if (health_.connected()) return;
  reach_ = Reach::kUnknown;
  if (!idle_ || stopping_) {
    look_soon_ = true;
    return;
  }
  retry_.reset();
  Connect();
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
  const std::string& upstream = options_.upstream;
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

void SecondarySource::Finish(absl::AnyInvocable<void()> done) {
  BeginEnding();
  if (idle_) {
    writer_.Stop();
    return done();
  }
  quiesced_ = std::move(done);
  upstream_->HangUp();
  writer_.Stop();
}

void SecondarySource::MakePrimary(absl::AnyInvocable<void(absl::StatusOr<v1::Lineage>)> done) {
  runtime_.PostIo([this, id = RandomId(runtime_), done = std::move(done)]() mutable {
    absl::StatusOr<v1::Lineage> lineage = file_.Promote(id);
    if (!lineage.ok()) file_.Close();
    runtime_.Post([done = std::move(done), lineage = std::move(lineage)]() mutable { done(std::move(lineage)); });
  });
}

}  // namespace zrs::storage
