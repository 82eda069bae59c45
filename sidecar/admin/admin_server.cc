#include "sidecar/admin/admin_server.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/admin.grpc.pb.h"

namespace zrs::admin {
namespace {

// A wait that names no time limit of its own.
constexpr absl::Duration kLongestWait = absl::Hours(24 * 365);

// Collects the answers of several storages, which come on their strands, and finishes the call with the last of them.
template <typename Answer>
class Gathering {
 public:
  Gathering(size_t expected, std::function<void(std::vector<Answer>)> finish)
      : answers_(expected), missing_(expected), finish_(std::move(finish)) {}

  void Put(size_t index, Answer answer) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      answers_[index] = std::move(answer);
      if (--missing_ > 0) return;
    }
    finish_(std::move(answers_));
  }

 private:
  std::mutex mutex_;
  std::vector<Answer> answers_;  // guarded by mutex_ until all are there
  size_t missing_;               // guarded by mutex_
  std::function<void(std::vector<Answer>)> finish_;
};

class AdminService final : public v1::Admin::CallbackService {
 public:
  AdminService(std::vector<storage::Storage*> storages, std::string version)
      : storages_(std::move(storages)), version_(std::move(version)) {}

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* context, const v1::StatusRequest*,
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
    auto gathering = std::make_shared<Gathering<v1::WaitResponse>>(
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
  const std::string version_;
};

class GrpcAdminServer final : public AdminServer {
 public:
  GrpcAdminServer(std::string socket_path, std::unique_ptr<AdminService> service, std::unique_ptr<grpc::Server> server)
      : socket_path_(std::move(socket_path)), service_(std::move(service)), server_(std::move(server)) {}
  ~GrpcAdminServer() override {
    server_->Shutdown(std::chrono::system_clock::time_point::min());
    server_->Wait();
    unlink(socket_path_.c_str());
  }

 private:
  std::string socket_path_;
  std::unique_ptr<AdminService> service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AdminServer>> StartAdminServer(const std::string& socket_path,
                                                              std::vector<storage::Storage*> storages,
                                                              const std::string& version) {
  unlink(socket_path.c_str());
  auto service = std::make_unique<AdminService>(std::move(storages), version);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(absl::StrCat("unix:", socket_path), grpc::InsecureServerCredentials());
  builder.RegisterService(service.get());
  // The socket appears with the permissions that the umask leaves: none for others from the first moment.
  const mode_t umask_before = umask(0077);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  umask(umask_before);
  if (!server) {
    return absl::UnavailableError(absl::StrCat("listen on the admin socket ", socket_path,
                                               ": it cannot be bound; check that its directory exists and may be "
                                               "written, or set admin-socket in <sidecar>"));
  }
  return std::make_unique<GrpcAdminServer>(socket_path, std::move(service), std::move(server));
}

}  // namespace zrs::admin
