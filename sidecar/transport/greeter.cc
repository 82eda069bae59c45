#include "sidecar/transport/greeter.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sidecar/replication/end_message.h"

namespace zrs::transport {
namespace {

using replication::MakeEnd;

constexpr absl::string_view kSameVersion = "run the same version of zrs on both sides";

v1::PublisherMessage EndMessage(v1::End end) {
  v1::PublisherMessage message;
  *message.mutable_end() = std::move(end);
  return message;
}

class Greeter final : public PublisherEvents {
 public:
  Greeter(std::shared_ptr<PublisherCore> core, FindStorage find_storage)
      : core_(std::move(core)), find_storage_(std::move(find_storage)) {}

  void OnOpen() override { core_->Read(); }
  void OnWritten() override {}
  void OnClosed(absl::Status) override {}

  void OnMessage(v1::FollowerMessage message) override {
    if (!message.has_hello()) {
      return Refuse(*core_, MakeEnd(v1::End::REASON_PROTOCOL, "the first message is not a Hello", kSameVersion),
                    absl::InvalidArgumentError("expected a Hello"));
    }
    const absl::StatusOr<AcceptStream> accept = find_storage_(message.hello());
    if (!accept.ok()) return RefuseStorage(accept.status());
    core_->Release();
    (*accept)(std::make_shared<CoreStream<v1::PublisherMessage, v1::FollowerMessage>>(core_),
              std::move(*message.mutable_hello()));
  }

 private:
  void RefuseStorage(const absl::Status& status) {
    if (absl::IsNotFound(status)) {
      return Refuse(*core_,
                    MakeEnd(v1::End::REASON_NO_SUCH_STORAGE, status.message(),
                            "set source-name in the secondary to the name of a storage that this address serves"));
    }
    Refuse(*core_, MakeEnd(v1::End::REASON_NOT_READY, status.message(), ""));
  }

  const std::shared_ptr<PublisherCore> core_;
  const FindStorage find_storage_;
};

}  // namespace

void Greet(std::shared_ptr<PublisherCore> core, FindStorage find_storage, absl::Duration timeout) {
  const std::string message = absl::StrCat("no Hello within ", absl::FormatDuration(timeout));
  core->CloseAfter(timeout, absl::DeadlineExceededError(message),
                   EndMessage(MakeEnd(v1::End::REASON_PROTOCOL, message, kSameVersion)));
  core->Start(std::make_shared<Greeter>(core, std::move(find_storage)));
}

void Refuse(PublisherCore& core, v1::End end, absl::Status status) {
  core.Close(std::move(status), EndMessage(std::move(end)));
}

}  // namespace zrs::transport
