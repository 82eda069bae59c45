#include "sidecar/storage/secondary/upstream_look.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sidecar/replication/end_message.h"

namespace zrs::storage {

// Carries the stream's events, which come on the transport's threads, to the strand.
class UpstreamLook::Events final : public transport::FollowerEvents {
 public:
  Events(runtime::Runtime& runtime, std::weak_ptr<UpstreamLook> look) : runtime_(runtime), look_(std::move(look)) {}

  void OnOpen() override {
    runtime_.Post([weak = look_] {
      if (auto look = weak.lock()) look->OnOpen();
    });
  }
  void OnMessage(v1::PublisherMessage message) override {
    runtime_.Post([weak = look_, message = std::move(message)] {
      if (auto look = weak.lock()) look->OnMessage(message);
    });
  }
  void OnWritten() override {}
  void OnClosed(absl::Status status) override {
    runtime_.Post([weak = look_, status = std::move(status)] {
      auto look = weak.lock();
      if (!look) return;
      look->Finish(NoAnswer(status.ok() ? "it closed the connection" : std::string(status.message())));
    });
  }

 private:
  runtime::Runtime& runtime_;
  std::weak_ptr<UpstreamLook> look_;
};

UpstreamLook::UpstreamLook(runtime::Runtime& runtime, const replication::FollowerOptions& options,
                           replication::Copy copy, std::shared_ptr<transport::FollowerStream> stream,
                           std::function<void(UpstreamFinding)> found)
    : runtime_(runtime),
      copy_(std::move(copy)),
      hello_(replication::MakeHello(options, copy_)),
      stream_(std::move(stream)),
      found_(std::move(found)) {
  hello_.set_look(true);
}

UpstreamLook::~UpstreamLook() {
  if (stream_) stream_->Cancel();
}

void UpstreamLook::Start() {
  stream_->Start(std::make_shared<Events>(runtime_, weak_from_this()));
  deadline_ = runtime_.After(kPatience, [this] {
    Finish(NoAnswer(absl::StrCat("there was no answer within ", absl::FormatDuration(kPatience))));
  });
}

void UpstreamLook::OnOpen() {
  if (!stream_) return;
  v1::FollowerMessage message;
  *message.mutable_hello() = hello_;
  stream_->Write(std::move(message));
  stream_->Read();
}

void UpstreamLook::OnMessage(const v1::PublisherMessage& message) {
  if (message.has_welcome()) return Finish(FindingOf(copy_, message.welcome()));
  if (message.has_end()) return Finish(FindingOf(copy_, message.end()));
  Finish(FindingOf(copy_, replication::MakeEnd(v1::End::REASON_PROTOCOL, "it answered a hello with something else",
                                               replication::kProtocolRemedy)));
}

void UpstreamLook::Finish(UpstreamFinding finding) {
  if (!found_) return;
  const auto self = shared_from_this();  // whoever is told lets go of this
  deadline_.reset();
  // A publisher that does not know what a look is would go on sending.
  if (auto stream = std::exchange(stream_, nullptr)) stream->Cancel();
  std::exchange(found_, nullptr)(std::move(finding));
}

}  // namespace zrs::storage
