// A follower that only asks about the file, as for a comparison with its own.
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "filestorage/digest.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/handshake.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/replication/publisher_session.h"

namespace zrs::replication {
namespace {

// Of a user name or a description: they are for a person.
constexpr size_t kLongestText = 1024;

}  // namespace

void PublisherSession::BeginInspection(PublisherEffects* effects) {
  phase_ = Phase::kInspecting;
  v1::PublisherMessage message;
  FillWelcome(v1::Welcome::DECISION_INSPECT, publication_.end, message.mutable_welcome());
  Send(std::move(message), effects);
  receiving_ = true;
  effects->emplace_back(ReceiveFromFollower{});
}

void PublisherSession::TakeQuestion(const v1::FollowerMessage& message, PublisherEffects* effects) {
  switch (message.message_case()) {
    case v1::FollowerMessage::kDigestRequest:
      return TakeDigestRequest(message.digest_request(), effects);
    case v1::FollowerMessage::kTransactionRequest:
      return TakeTransactionRequest(message.transaction_request(), effects);
    case v1::FollowerMessage::kVouch:
      return TakeVouch(message.vouch(), effects);
    default:
      return FailProtocol("no question, though it said that it inspects", effects);
  }
}

void PublisherSession::TakeTransactionRequest(const v1::TransactionRequest& request, PublisherEffects* effects) {
  if (request.begin() < filestorage::kMagicSize || request.begin() >= publication_.end.offset) {
    return FailProtocol(absl::StrCat("the transaction at ", request.begin(), " was asked for, but what is committed ",
                                     "ends at ", publication_.end.offset),
                        effects);
  }
  if (answering()) return FailProtocol("a second question before the first was answered", effects);
  finding_ = request.begin();
  effects->emplace_back(FindTransaction{*finding_});
  receiving_ = true;
  effects->emplace_back(ReceiveFromFollower{});
}

PublisherEffects PublisherSession::OnFound(absl::StatusOr<filestorage::ProbedTransaction> transaction) {
  PublisherEffects effects;
  if (over()) return effects;
  assert(finding_);
  if (!transaction.ok() && !absl::IsDataLoss(transaction.status())) {
    FailSource(transaction.status(), &effects);
    return effects;
  }
  v1::FoundTransaction& found = *answer_.emplace().mutable_found_transaction();
  found.set_begin(*std::exchange(finding_, std::nullopt));
  if (transaction.ok()) {
    found.set_end(transaction->end);
    found.set_tid(transaction->tid);
    found.set_user(transaction->user.substr(0, kLongestText));
    found.set_description(transaction->description.substr(0, kLongestText));
  } else {
    found.set_reason(std::string(transaction.status().message().substr(0, kLongestText)));
  }
  Pump(&effects);
  return effects;
}

absl::Status PublisherSession::CheckVouch(const v1::Vouch& vouch) const {
  if (absl::Status lineage = ValidateLineage(vouch.lineage()); !lineage.ok()) return lineage;
  if (vouch.lineage().database_id().empty()) return absl::InvalidArgumentError("a vouch for no database");
  const absl::StatusOr<filestorage::Boundary> position = FromProto(vouch.position());
  if (!position.ok()) return position.status();
  const absl::StatusOr<filestorage::Digest> proof = filestorage::Digest::FromBytes(vouch.proof());
  if (!proof.ok()) return proof.status();
  if (position->last_offset == 0) return absl::InvalidArgumentError("a vouch for a file without a transaction");
  if (position->offset == inspected_.end() && *proof == inspected_.digest()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("a vouch for all before ", position->offset,
                                                 ", but what was asked about, and answered so, ends at ",
                                                 inspected_.end()));
}

void PublisherSession::TakeVouch(const v1::Vouch& vouch, PublisherEffects* effects) {
  if (answering()) return FailProtocol("a vouch before the last question was answered", effects);
  if (absl::Status valid = CheckVouch(vouch); !valid.ok()) return FailProtocol(valid.message(), effects);
  if (publication_.takes_identity == v1::End::TAKES_IDENTITY_NO) {
    return RefuseIdentity(absl::FailedPreconditionError("the publisher takes no identity"), effects);
  }
  vouched_ = vouch.lineage();
  probed_ = *FromProto(vouch.position());
  phase_ = Phase::kProbing;
  effects->emplace_back(ProbeBoundary{probed_});
}

void PublisherSession::RefuseIdentity(const absl::Status& why, PublisherEffects* effects) {
  Finish(MakeEnd(v1::End::REASON_OTHER_DATABASE, absl::StrCat("the follower's identity was not taken: ", why.message()),
                 "look at the publisher's zrs status; zrs adopt there lets it take an identity"),
         effects);
}

PublisherEffects PublisherSession::OnIdentityTaken(const absl::Status& taken) {
  PublisherEffects effects;
  if (over()) return effects;
  assert(vouched_);
  if (!taken.ok()) {
    RefuseIdentity(taken, &effects);
  } else {
    Finish(MakeEnd(v1::End::REASON_REPLACED, "the publisher has taken the follower's identity",
                   "none needed: the follower comes back at once"),
           &effects);
  }
  return effects;
}

}  // namespace zrs::replication
