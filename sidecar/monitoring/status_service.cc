#include "sidecar/monitoring/status_service.h"

#include <unistd.h>

#include <utility>

#include "proto/zrs/v1/admin.grpc.pb.h"
#include "sidecar/monitoring/gathering.h"
#include "sidecar/transport/unary_method.h"

namespace zrs::monitoring {
namespace {

class StatusService final : public transport::QueuedService {
 public:
  StatusService(std::vector<storage::Storage*> storages, std::string version)
      : storages_(std::move(storages)), version_(std::move(version)) {}

  std::string name() const override { return v1::Status::service_full_name(); }
  grpc::Service& service() override { return service_; }
  void Serve(const transport::CallHost& host) override { get_.Serve(host); }

 private:
  using Async = v1::Status::AsyncService;

  void Get(const transport::Answer<v1::StatusResponse>& answer) const {
    v1::StatusResponse response;
    response.set_version(version_);
    response.set_pid(getpid());
    auto gathering = std::make_shared<Gathering<v1::StorageStatus>>(
        storages_.size(), [answer, response](std::vector<v1::StorageStatus> statuses) mutable {
          for (v1::StorageStatus& status : statuses) *response.add_storages() = std::move(status);
          answer(response);
        });
    for (size_t i = 0; i < storages_.size(); ++i) {
      storages_[i]->GetStatus([gathering, i](v1::StorageStatus status) { gathering->Put(i, std::move(status)); });
    }
  }

  const std::vector<storage::Storage*> storages_;
  const std::string version_;
  Async service_;
  const transport::UnaryMethod<v1::StatusRequest, v1::StatusResponse> get_{
      service_, &Async::RequestGet, [this](const auto&, const auto& answer) { Get(answer); }};
};

}  // namespace

std::unique_ptr<transport::QueuedService> MakeStatusService(std::vector<storage::Storage*> storages,
                                                            const std::string& version) {
  return std::make_unique<StatusService>(std::move(storages), version);
}

}  // namespace zrs::monitoring
