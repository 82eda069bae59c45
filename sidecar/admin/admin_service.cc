#include "sidecar/admin/admin_service.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/admin.grpc.pb.h"
#include "sidecar/monitoring/gathering.h"

namespace zrs::admin {
namespace {

// A wait that names no time limit of its own.
constexpr absl::Duration kLongestWait = absl::Hours(24 * 365);

class AdminService final : public v1::Admin::CallbackService {
 public:
  explicit AdminService(std::vector<storage::Storage*> storages) : storages_(std::move(storages)) {}

  grpc::ServerUnaryReactor* Wait(grpc::CallbackServerContext* context, const v1::WaitRequest* request,
                                 v1::WaitResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    std::vector<storage::Storage*> wanted = Named(request->storage());
    if (wanted.empty()) {
      response->set_result(v1::WaitResponse::RESULT_NO_SUCH_STORAGE);
      response->set_message(absl::StrCat("no storage ", request->storage(), " here; there are: ", Names()));
      reactor->Finish(grpc::Status::OK);
      return reactor;
    }
    auto gathering = std::make_shared<monitoring::Gathering<v1::WaitResponse>>(
        wanted.size(), [reactor, response](std::vector<v1::WaitResponse> responses) {
          *response = Worst(std::move(responses));
          reactor->Finish(grpc::Status::OK);
        });
    const absl::Duration timeout =
        request->timeout_seconds() > 0 ? absl::Seconds(request->timeout_seconds()) : kLongestWait;
    for (size_t i = 0; i < wanted.size(); ++i) {
      wanted[i]->Wait(request->replicas(), std::min(timeout, kLongestWait),
                      [gathering, i](v1::WaitResponse one) { gathering->Put(i, std::move(one)); });
    }
    return reactor;
  }

 private:
  std::vector<storage::Storage*> Named(const std::string& name) const {
    if (name.empty()) return storages_;
    std::vector<storage::Storage*> found;
    std::copy_if(storages_.begin(), storages_.end(), std::back_inserter(found),
                 [&name](const storage::Storage* storage) { return storage->name() == name; });
    return found;
  }

  std::string Names() const {
    std::string names;
    for (const storage::Storage* storage : storages_)
      absl::StrAppend(&names, names.empty() ? "" : ", ", storage->name());
    return names;
  }

  // All must be done; of what went wrong the first is told, or else all that was done.
  static v1::WaitResponse Worst(std::vector<v1::WaitResponse> responses) {
    v1::WaitResponse all;
    all.set_result(v1::WaitResponse::RESULT_DONE);
    for (const v1::WaitResponse& one : responses) {
      if (one.result() != v1::WaitResponse::RESULT_DONE) return one;
      absl::StrAppend(all.mutable_message(), all.message().empty() ? "" : "\n", one.message());
    }
    return all;
  }

  const std::vector<storage::Storage*> storages_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAdminService(std::vector<storage::Storage*> storages) {
  return std::make_unique<AdminService>(std::move(storages));
}

}  // namespace zrs::admin
