#include "sidecar/transport/health_service.h"

#include <cstddef>
#include <optional>

#include "absl/strings/str_cat.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_stream.h"

namespace zrs::transport {
namespace {

// What a watcher asks for is kept for as long as it watches.
constexpr size_t kLongestName = 1000;

}  // namespace

// Is told the present status, and each later one; of several that come while one is being written, the last.
class HealthService::WatchCall final : public ServiceCall {
 public:
  static void WaitForNext(HealthService& health, const CallHost& host) {
    auto* const call = new WatchCall(health, host);
    health.service_.RequestWatch(&call->context_, &call->request_, &call->writer_, host.queue, host.queue,
                                 call->Tag(call->arrive_));
  }

  // With the service's mutex held, between arrival and end.
  void Tell() {
    const Response::ServingStatus status = health_.StatusOf(request_.service());
    if (writing_ || status == told_) return;
    writing_ = true;
    told_ = status;
    Response response;
    response.set_status(status);
    writer_.Write(response, Tag(write_));
  }

 private:
  WatchCall(HealthService& health, const CallHost& host) : ServiceCall(host), health_(health) {
    context_.AsyncNotifyWhenDone(Tag(over_));
  }

  void Arrived(bool ok) {
    // Only once the server is shut down: then no call begins, and none is over.
    if (!ok) return Untag();
    WaitForNext(health_, host());
    if (request_.service().size() > kLongestName) {
      const std::string message = absl::StrCat("no service has a name of more than ", kLongestName, " bytes");
      return writer_.Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, message), Tag(finish_));
    }
    const std::lock_guard<std::mutex> lock(health_.mutex_);
    if (over_already_) return;
    health_.watchers_.insert(this);
    Tell();
  }

  // Not ok: the call breaks, and is over soon.
  void Written(bool ok) {
    const std::lock_guard<std::mutex> lock(health_.mutex_);
    writing_ = !ok;
    if (!over_already_) Tell();
  }

  void Over() {
    const std::lock_guard<std::mutex> lock(health_.mutex_);
    over_already_ = true;
    health_.watchers_.erase(this);
  }

  HealthService& health_;
  grpc::ServerContext context_;
  Request request_;
  grpc::ServerAsyncWriter<Response> writer_{&context_};
  // Guarded by the service's mutex.
  bool over_already_ = false;
  bool writing_ = false;
  std::optional<Response::ServingStatus> told_;
  Operation arrive_{this, [this](bool ok) { Arrived(ok); }};
  Operation over_{this, [this](bool) { Over(); }};
  Operation write_{this, [this](bool ok) { Written(ok); }};
  Operation finish_{this, [](bool) {}};
};

HealthService::HealthService()
    : check_(service_, &Async::RequestCheck,
             [this](const Request& request, const Answer<Response>& answer) { Check(request, answer); }) {}

HealthService::~HealthService() = default;

std::string HealthService::name() const { return grpc::health::v1::Health::service_full_name(); }

void HealthService::Serve(const CallHost& host) {
  check_.Serve(host);
  WatchCall::WaitForNext(*this, host);
}

void HealthService::SetServing(const std::string& service, bool serving) {
  const std::lock_guard<std::mutex> lock(mutex_);
  serving_[service] = serving && !stopped_;
  TellWatchers();
}

void HealthService::StopServing() {
  const std::lock_guard<std::mutex> lock(mutex_);
  stopped_ = true;
  for (auto& [service, serving] : serving_) serving = false;
  TellWatchers();
}

void HealthService::TellWatchers() {
  for (WatchCall* const watcher : watchers_) watcher->Tell();
}

void HealthService::Check(const Request& request, const Answer<Response>& answer) const {
  Response response;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    response.set_status(StatusOf(request.service()));
  }
  if (response.status() != Response::SERVICE_UNKNOWN) return answer(response);
  answer.Fail(grpc::Status(grpc::StatusCode::NOT_FOUND, "no such service"));
}

HealthService::Response::ServingStatus HealthService::StatusOf(const std::string& service) const {
  const auto found = serving_.find(service);
  if (found == serving_.end()) return Response::SERVICE_UNKNOWN;
  return found->second ? Response::SERVING : Response::NOT_SERVING;
}

}  // namespace zrs::transport
