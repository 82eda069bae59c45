// A follower that only asks about the file, as for a comparison with its own.
#include <cassert>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/handshake.h"
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

}  // namespace zrs::replication
