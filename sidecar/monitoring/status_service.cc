#include "sidecar/monitoring/status_service.h"

#include <unistd.h>

#include <utility>

#include "proto/zrs/v1/admin.grpc.pb.h"
#include "sidecar/monitoring/gathering.h"

namespace zrs::monitoring {
namespace {

class StatusService final : public v1::Status::CallbackService {
 public:
  StatusService(std::vector<storage::Storage*> storages, std::string version)
      : storages_(std::move(storages)), version_(std::move(version)) {}

  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context, const v1::StatusRequest*,
                                v1::StatusResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    response->set_version(version_);
    response->set_pid(getpid());
    auto gathering = std::make_shared<Gathering<v1::StorageStatus>>(
        storages_.size(), [reactor, response](std::vector<v1::StorageStatus> statuses) {
          for (v1::StorageStatus& status : statuses) *response->add_storages() = std::move(status);
          reactor->Finish(grpc::Status::OK);
        });
    for (size_t i = 0; i < storages_.size(); ++i) {
      storages_[i]->GetStatus([gathering, i](v1::StorageStatus status) { gathering->Put(i, std::move(status)); });
    }
    return reactor;
  }

 private:
  const std::vector<storage::Storage*> storages_;
  const std::string version_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeStatusService(std::vector<storage::Storage*> storages, const std::string& version) {
  return std::make_unique<StatusService>(std::move(storages), version);
}

}  // namespace zrs::monitoring
