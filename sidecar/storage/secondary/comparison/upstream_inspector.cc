#include "sidecar/storage/secondary/comparison/upstream_inspector.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/end_message.h"
#include "sidecar/replication/handshake.h"
#include "sidecar/replication/welcome.h"
#include "sidecar/text/printable.h"

namespace zrs::storage {
namespace {

constexpr size_t kLongestReason = 1024;

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("protocol error by the upstream: ", what));
}

absl::Status StatusOf(const v1::End& said) {
  const v1::End end = replication::MakeEnd(said.reason(), said.message(), said.remedy());
  const std::string message = absl::StrCat("the upstream says: ", end.message(), "; ", end.remedy());
  switch (end.reason()) {
    case v1::End::REASON_SHUTDOWN:
    case v1::End::REASON_NOT_READY:
    case v1::End::REASON_REPLACED:
      return absl::UnavailableError(message);
    default:
      return absl::FailedPreconditionError(message);
  }
}

}  // namespace

// Carries the stream's events, which come on the transport's threads, to the strand.
class UpstreamInspector::Events final : public transport::FollowerEvents {
 public:
  Events(runtime::Runtime& runtime, std::weak_ptr<UpstreamInspector> inspector)
      : runtime_(runtime), inspector_(std::move(inspector)) {}

  void OnOpen() override {
    runtime_.Post([weak = inspector_] {
      if (auto inspector = weak.lock()) inspector->OnOpen();
    });
  }
  void OnMessage(v1::PublisherMessage message) override {
    runtime_.Post([weak = inspector_, message = std::move(message)] {
      if (auto inspector = weak.lock()) inspector->OnMessage(message);
    });
  }
  void OnWritten() override {
    runtime_.Post([weak = inspector_] {
      if (auto inspector = weak.lock()) inspector->OnWritten();
    });
  }
  void OnClosed(absl::Status status) override {
    runtime_.Post([weak = inspector_, status = std::move(status)] {
      if (auto inspector = weak.lock()) inspector->OnClosed(status);
    });
  }

 private:
  runtime::Runtime& runtime_;
  std::weak_ptr<UpstreamInspector> inspector_;
};

UpstreamInspector::UpstreamInspector(runtime::Runtime& runtime, const replication::FollowerOptions& options,
                                     const v1::Lineage& lineage, std::shared_ptr<transport::FollowerStream> stream)
    : runtime_(runtime), stream_(std::move(stream)) {
  hello_.set_lowest_version(replication::kLowestProtocolVersion);
  hello_.set_highest_version(replication::kProtocolVersion);
  hello_.set_storage(options.storage);
  hello_.set_follower_name(options.follower_name);
  hello_.set_node_id(options.node_id);
  hello_.set_software(options.software);
  *hello_.mutable_lineage() = lineage;
  hello_.set_inspect(true);
}

void UpstreamInspector::Start(Answer<InspectedFile> ready, absl::AnyInvocable<void(const absl::Status&)> broken) {
  ready_ = std::move(ready);
  broken_ = std::move(broken);
  stream_->Start(std::make_shared<Events>(runtime_, weak_from_this()));
}

void UpstreamInspector::OnOpen() {
  if (!stream_) return;
  stream_->Read();
  v1::FollowerMessage message;
  *message.mutable_hello() = hello_;
  Ask(std::move(message));
}

void UpstreamInspector::Ask(v1::FollowerMessage message) {
  patience_ = runtime_.After(kPatience, [this] {
    Fail(absl::UnavailableError(absl::StrCat("the upstream cannot be asked: it has not answered for ",
                                             absl::FormatDuration(kPatience),
                                             " over a connection that seemed to be well")));
  });
  Send(std::move(message));
}

void UpstreamInspector::Send(v1::FollowerMessage message) {
  // The answer to the one before may be here sooner than the word that it was written.
  if (writing_) {
    next_ = std::move(message);
    return;
  }
  writing_ = true;
  stream_->Write(std::move(message));
}

void UpstreamInspector::OnWritten() {
  writing_ = false;
  if (!stream_ || next_.message_case() == v1::FollowerMessage::MESSAGE_NOT_SET) return;
  writing_ = true;
  stream_->Write(std::exchange(next_, {}));
}

void UpstreamInspector::AskDigest(uint64_t begin, uint64_t end, Answer<filestorage::Digest> answer) {
  digest_ = std::move(answer);
  if (!failed_.ok()) return Fail(failed_);
  v1::FollowerMessage message;
  message.mutable_digest_request()->set_begin(begin);
  message.mutable_digest_request()->set_end(end);
  asked_ = message.digest_request();
  Ask(std::move(message));
}

void UpstreamInspector::AskTransaction(uint64_t begin, Answer<filestorage::ProbedTransaction> answer) {
  transaction_ = std::move(answer);
  if (!failed_.ok()) return Fail(failed_);
  v1::FollowerMessage message;
  message.mutable_transaction_request()->set_begin(begin);
  asked_transaction_ = begin;
  Ask(std::move(message));
}

void UpstreamInspector::Vouch(v1::Vouch vouch, absl::AnyInvocable<void(absl::Status)> taken) {
  vouched_ = std::move(taken);
  if (!failed_.ok()) return Fail(failed_);
  v1::FollowerMessage message;
  *message.mutable_vouch() = std::move(vouch);
  Ask(std::move(message));
}

void UpstreamInspector::OnMessage(const v1::PublisherMessage& message) {
  const auto self = shared_from_this();
  patience_.reset();
  if (stream_) TakeMessage(message);
  // Also while nothing is asked: the publisher may have to say that it ends.
  if (stream_) stream_->Read();
}

void UpstreamInspector::TakeMessage(const v1::PublisherMessage& message) {
  switch (message.message_case()) {
    case v1::PublisherMessage::kEnd:
      if (vouched_ && message.end().reason() == v1::End::REASON_REPLACED) {
        return std::exchange(vouched_, nullptr)(absl::OkStatus());
      }
      return Fail(StatusOf(message.end()));
    case v1::PublisherMessage::kWelcome:
      return TakeWelcome(message.welcome());
    case v1::PublisherMessage::kRangeDigest:
      return TakeDigest(message.range_digest());
    case v1::PublisherMessage::kFoundTransaction:
      return TakeTransaction(message.found_transaction());
    default:
      return Fail(Wrong("no answer to what was asked"));
  }
}

void UpstreamInspector::TakeWelcome(const v1::Welcome& welcome) {
  if (!ready_) return Fail(Wrong("a second welcome"));
  const absl::StatusOr<replication::AcceptWelcome> accept = replication::ParseWelcome(welcome);
  if (!accept.ok()) return Fail(Wrong(accept.status().message()));
  if (accept->decision != v1::Welcome::DECISION_INSPECT) return Fail(Wrong("a welcome for another purpose"));
  std::exchange(ready_, nullptr)(InspectedFile{welcome.lineage(), accept->magic, accept->start, welcome.secondary()});
}

void UpstreamInspector::TakeDigest(const v1::RangeDigest& digest) {
  const absl::StatusOr<filestorage::Digest> taken = filestorage::Digest::FromBytes(digest.digest());
  if (!digest_ || digest.begin() != asked_.begin() || digest.end() != asked_.end() || !taken.ok()) {
    return Fail(Wrong("a digest that was not asked for"));
  }
  std::exchange(digest_, nullptr)(*taken);
}

void UpstreamInspector::TakeTransaction(const v1::FoundTransaction& found) {
  const bool sound = found.end() != 0;
  if (!transaction_ || found.begin() != asked_transaction_ || (sound && found.end() <= found.begin())) {
    return Fail(Wrong("a transaction that was not asked for"));
  }
  if (!sound) {
    return std::exchange(transaction_, nullptr)(absl::DataLossError(text::Clean(found.reason(), kLongestReason)));
  }
  std::exchange(transaction_, nullptr)(
      filestorage::ProbedTransaction{found.begin(), found.end(), found.tid(), found.user(), found.description()});
}

void UpstreamInspector::OnClosed(const absl::Status& status) {
  if (!stream_) return;
  Fail(absl::UnavailableError(
      absl::StrCat("the upstream cannot be asked: ", status.ok() ? "it closed the connection" : status.message())));
}

void UpstreamInspector::Fail(const absl::Status& status) {
  const auto self = shared_from_this();
  patience_.reset();
  if (failed_.ok()) failed_ = status;
  if (stream_) std::exchange(stream_, nullptr)->Cancel();
  if (ready_) return std::exchange(ready_, nullptr)(failed_);
  if (digest_) return std::exchange(digest_, nullptr)(failed_);
  if (transaction_) return std::exchange(transaction_, nullptr)(failed_);
  if (vouched_) return std::exchange(vouched_, nullptr)(failed_);
  if (broken_) std::exchange(broken_, nullptr)(failed_);
}

void UpstreamInspector::Close() {
  patience_.reset();
  ready_ = nullptr;
  broken_ = nullptr;
  digest_ = nullptr;
  transaction_ = nullptr;
  vouched_ = nullptr;
  failed_ = absl::CancelledError("it is not asked any more");
  if (stream_) std::exchange(stream_, nullptr)->Close();
}

}  // namespace zrs::storage
