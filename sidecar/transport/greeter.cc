#include "sidecar/transport/greeter.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace zrs::transport {
namespace {

v1::PublisherMessage EndMessage(v1::End::Reason reason, const std::string& message, const std::string& remedy) {
  v1::PublisherMessage result;
  result.mutable_end()->set_reason(reason);
  result.mutable_end()->set_message(message);
  result.mutable_end()->set_remedy(remedy);
  return result;
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
      return Refuse(*core_, v1::End::REASON_PROTOCOL, "the first message is not a Hello",
                    "run the same version of zrs on both sides", absl::InvalidArgumentError("expected a Hello"));
    }
    const absl::StatusOr<AcceptStream> accept = find_storage_(message.hello());
    if (!accept.ok()) return RefuseStorage(accept.status());
    core_->Release();
    (*accept)(std::make_shared<CoreStream<v1::PublisherMessage, v1::FollowerMessage>>(core_),
              std::move(*message.mutable_hello()));
  }

 private:
  void RefuseStorage(const absl::Status& status) {
    const std::string message(status.message());
    if (absl::IsNotFound(status)) {
      return Refuse(*core_, v1::End::REASON_NO_SUCH_STORAGE, message,
                    "set source-name in the secondary to the name of a storage that this address serves");
    }
    Refuse(*core_, v1::End::REASON_NOT_READY, message, "");
  }

  const std::shared_ptr<PublisherCore> core_;
  const FindStorage find_storage_;
};

}  // namespace

void Greet(std::shared_ptr<PublisherCore> core, FindStorage find_storage, absl::Duration timeout) {
  const std::string message = absl::StrCat("no Hello within ", absl::FormatDuration(timeout));
  core->CloseAfter(timeout, absl::DeadlineExceededError(message),
                   EndMessage(v1::End::REASON_PROTOCOL, message, "run the same version of zrs on both sides"));
  core->Start(std::make_shared<Greeter>(core, std::move(find_storage)));
}

void Refuse(PublisherCore& core, v1::End::Reason reason, const std::string& message, const std::string& remedy,
            absl::Status status) {
  core.Close(std::move(status), EndMessage(reason, message, remedy));
}

}  // namespace zrs::transport
