// How a follower is let in or refused, and what is known of where it is.
#include <cassert>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/replication/publisher_session.h"

namespace zrs::replication {

using filestorage::Boundary;

void PublisherSession::TakeHello(const v1::FollowerMessage& message, PublisherEffects* effects) {
  if (!message.has_hello()) return FailProtocol("the first message is not a hello", effects);
  const v1::Hello& hello = message.hello();
  looks_ = hello.look();
  HandshakeDecision decision = DecideHandshake(publication_, hello);
  if (auto* refuse = std::get_if<DecideRefuse>(&decision)) return Finish(std::move(refuse->end), effects);
  node_id_ = hello.node_id();
  copy_id_ = hello.copy_id();
  if (std::holds_alternative<DecideInspect>(decision)) return BeginInspection(effects);
  if (auto* rebuild = std::get_if<DecideRebuild>(&decision)) {
    rebuild_ = *rebuild;
    if (rebuild_->proved) return BeginRebuild(effects);
    phase_ = Phase::kProbingOld;
    effects->emplace_back(ProbeOldPosition{rebuild_->position});
    return;
  }
  if (auto* probe = std::get_if<DecideProbe>(&decision)) {
    phase_ = Phase::kProbing;
    probed_ = probe->boundary;
    effects->emplace_back(ProbeBoundary{probed_});
    return;
  }
  Welcome(v1::Welcome::DECISION_COPY, filestorage::FirstBoundary(publication_.magic), effects);
}

void PublisherSession::BeginRebuild(PublisherEffects* effects) {
  if (!rebuild_->part) {
    return Welcome(v1::Welcome::DECISION_REBUILD, filestorage::FirstBoundary(publication_.magic), effects);
  }
  phase_ = Phase::kProbing;
  probed_ = *rebuild_->part;
  effects->emplace_back(ProbeBoundary{probed_});
}

void PublisherSession::FailProbing(const Boundary& boundary, const absl::Status& error, PublisherEffects* effects) {
  FailSource(absl::Status(error.code(), absl::StrCat("looking for the follower's position, ",
                                                     DescribePosition(boundary), ": ", error.message())),
             effects);
}

PublisherEffects PublisherSession::OnOldProbed(absl::StatusOr<bool> matches) {
  PublisherEffects effects;
  if (over()) return effects;
  assert(phase_ == Phase::kProbingOld);
  // What ails the file of before is no failure of the present one.
  if (matches.ok() && *matches) {
    BeginRebuild(&effects);
  } else {
    Finish(OldPositionEnd(rebuild_->position.boundary), &effects);
  }
  return effects;
}

PublisherEffects PublisherSession::OnProbed(absl::StatusOr<bool> matches) {
  PublisherEffects effects;
  if (over()) return effects;
  assert(phase_ == Phase::kProbing);
  if (!matches.ok()) {
    FailProbing(probed_, matches.status(), &effects);
  } else if (vouched_) {
    if (!*matches) {
      RefuseIdentity(absl::FailedPreconditionError("the publisher's file has other bytes there"), &effects);
    } else {
      effects.emplace_back(TakeIdentity{*vouched_});
    }
  } else if (rebuild_) {
    // Nothing need follow that would tell where it will be.
    if (*matches) positions_.Add(probed_);
    Welcome(v1::Welcome::DECISION_REBUILD, *matches ? probed_ : filestorage::FirstBoundary(publication_.magic),
            &effects);
  } else if (!*matches) {
    Finish(DivergedEnd(publication_, probed_), &effects);
  } else {
    acknowledged_offset_ = probed_.offset;
    positions_.Add(probed_);
    Welcome(v1::Welcome::DECISION_RESUME, probed_, &effects);
  }
  return effects;
}

void PublisherSession::FillWelcome(v1::Welcome::Decision decision, const Boundary& start, v1::Welcome* welcome) const {
  welcome->set_version(kProtocolVersion);  // the highest that both speak, as long as there is only one
  welcome->set_decision(decision);
  *welcome->mutable_lineage() = publication_.lineage;
  welcome->set_magic(std::string(filestorage::MagicBytes(publication_.magic)));
  *welcome->mutable_start() = ToProto(start);
  welcome->set_committed_end(publication_.end.offset);
  welcome->set_file_mode(publication_.file_mode);
  welcome->set_secondary(publication_.secondary);
  welcome->set_unheard(publication_.unheard);
  welcome->set_yields(publication_.yields);
}

void PublisherSession::Welcome(v1::Welcome::Decision decision, const Boundary& start, PublisherEffects* effects) {
  v1::PublisherMessage message;
  FillWelcome(decision, start, message.mutable_welcome());
  Send(std::move(message), effects);
  if (looks_) {
    phase_ = Phase::kEnding;
    end_sent_ = true;  // that was all
    return;
  }
  phase_ = Phase::kServing;
  scanner_.emplace(publication_.magic, start, &trail_);
  read_offset_ = start.offset;
  sent_offset_ = start.offset;
  received_offset_ = start.offset;
  welcome_end_ = publication_.end.offset;
  receiving_ = true;
  effects->emplace_back(ReceiveFromFollower{});
  Pump(effects);
}

std::optional<KnownFollower> PublisherSession::last_seen() const {
  if (looks_) return std::nullopt;
  KnownFollower follower{node_id_, {}};
  // Until it acknowledges the new file the follower's own one may be where it was.
  if (rebuild_ && scanner_ && acknowledged_offset_ == 0) {
    follower.marks.push_back(MarkOf(rebuild_->position.epochs.front(), rebuild_->position.boundary));
  }
  positions_.AppendMarks(CurrentEpoch(publication_.lineage)->id(), &follower);
  if (follower.marks.empty()) return std::nullopt;
  return follower;
}

}  // namespace zrs::replication
