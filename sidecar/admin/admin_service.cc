#include "sidecar/admin/admin_service.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/admin.grpc.pb.h"
#include "sidecar/monitoring/gathering.h"

namespace zrs::admin {
namespace {

// One call of Wait. Owned by gRPC and by those who still owe an answer; answered once.
class WaitCall final : public grpc::ServerUnaryReactor, public std::enable_shared_from_this<WaitCall> {
 public:
  explicit WaitCall(v1::WaitResponse* response) : response_(response) {}

  // Until OnDone.
  void HoldForGrpc() { self_ = shared_from_this(); }

  bool wanted() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return !answered_;
  }

  void Answer(v1::WaitResponse response) {
    if (!TakeTurn([&] { *response_ = std::move(response); })) return;
    Finish(grpc::Status::OK);
  }

  // The client has given up, or is gone.
  void OnCancel() override {
    if (TakeTurn([] {})) Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { self_.reset(); }

 private:
  bool TakeTurn(absl::FunctionRef<void()> first) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (std::exchange(answered_, true)) return false;
    first();
    return true;
  }

  mutable std::mutex mutex_;
  bool answered_ = false;             // guarded by mutex_
  v1::WaitResponse* const response_;  // gRPC's, until the call is answered
  std::shared_ptr<WaitCall> self_;
};

class AdminService final : public v1::Admin::CallbackService {
 public:
  explicit AdminService(std::vector<storage::Storage*> storages) : storages_(std::move(storages)) {}

  grpc::ServerUnaryReactor* Wait(grpc::CallbackServerContext*, const v1::WaitRequest* request,
                                 v1::WaitResponse* response) override {
    const auto call = std::make_shared<WaitCall>(response);
    call->HoldForGrpc();
    const std::vector<storage::Storage*> wanted = Named(request->storage());
    if (wanted.empty()) {
      v1::WaitResponse none;
      none.set_result(v1::WaitResponse::RESULT_NO_SUCH_STORAGE);
      none.set_message(absl::StrCat("no storage ", request->storage(), " here; there are: ", Names()));
      call->Answer(std::move(none));
      return call.get();
    }
    auto gathering = std::make_shared<monitoring::Gathering<v1::WaitResponse>>(
        wanted.size(),
        [call](std::vector<v1::WaitResponse> responses) { call->Answer(Together(std::move(responses))); });
    const absl::Duration timeout =
        request->timeout_seconds() > 0 ? absl::Seconds(request->timeout_seconds()) : absl::InfiniteDuration();
    const auto still_wanted = [weak = std::weak_ptr<WaitCall>(call)] {
      const auto alive = weak.lock();
      return alive && alive->wanted();
    };
    for (size_t i = 0; i < wanted.size(); ++i) {
      wanted[i]->Wait(request->replicas(), timeout, still_wanted,
                      [gathering, i](v1::WaitResponse one) { gathering->Put(i, std::move(one)); });
    }
    return call.get();
  }

  grpc::ServerUnaryReactor* Pause(grpc::CallbackServerContext* context, const v1::PauseRequest* request,
                                  v1::PauseResponse* response) override {
    return Hold(
        context, request->storage(), response, "paused: the file stays as it is until zrs resume",
        [](storage::Storage& storage, absl::AnyInvocable<void(bool)> answer) { storage.Pause(std::move(answer)); });
  }

  grpc::ServerUnaryReactor* Resume(grpc::CallbackServerContext* context, const v1::PauseRequest* request,
                                   v1::PauseResponse* response) override {
    return Hold(
        context, request->storage(), response, "resumed",
        [](storage::Storage& storage, absl::AnyInvocable<void(bool)> answer) { storage.Resume(std::move(answer)); });
  }

 private:
  using HoldFunction = absl::FunctionRef<void(storage::Storage&, absl::AnyInvocable<void(bool)>)>;

  // Answers when each storage of that name has done it.
  grpc::ServerUnaryReactor* Hold(grpc::CallbackServerContext* context, const std::string& name,
                                 v1::PauseResponse* response, const char* done, HoldFunction hold) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    const std::vector<storage::Storage*> wanted = Named(name);
    if (wanted.empty()) {
      response->set_result(v1::PauseResponse::RESULT_NO_SUCH_STORAGE);
      response->set_message(absl::StrCat("no storage ", name, " here; there are: ", Names()));
      reactor->Finish(grpc::Status::OK);
      return reactor;
    }
    auto gathering = std::make_shared<monitoring::Gathering<bool>>(
        wanted.size(), [reactor, response, wanted, done](const std::vector<bool>& held) {
          for (size_t i = 0; i < wanted.size(); ++i) {
            if (!held[i]) continue;
            absl::StrAppend(response->mutable_message(), response->message().empty() ? "" : "\n", "storage ",
                            wanted[i]->name(), " ", done);
          }
          const bool any = !response->message().empty();
          response->set_result(any ? v1::PauseResponse::RESULT_DONE : v1::PauseResponse::RESULT_NOT_SECONDARY);
          if (!any) {
            response->set_message(
                absl::StrCat("storage ", wanted[0]->name(), " is a primary, whose file another program writes"));
          }
          reactor->Finish(grpc::Status::OK);
        });
    for (size_t i = 0; i < wanted.size(); ++i) {
      hold(*wanted[i], [gathering, i](bool held) { gathering->Put(i, held); });
    }
    return reactor;
  }

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

  // All primaries' must be done; of what went wrong the first is told, or else all that was done. A secondary has
  // nothing to wait for, which is only an error where there is nothing else.
  static v1::WaitResponse Together(std::vector<v1::WaitResponse> responses) {
    v1::WaitResponse all;
    for (const v1::WaitResponse& one : responses) {
      if (one.result() == v1::WaitResponse::RESULT_NOT_PRIMARY) continue;
      if (one.result() != v1::WaitResponse::RESULT_DONE) return one;
      all.set_result(v1::WaitResponse::RESULT_DONE);
      absl::StrAppend(all.mutable_message(), all.message().empty() ? "" : "\n", one.message());
    }
    return all.result() == v1::WaitResponse::RESULT_DONE ? all : responses.front();
  }

  const std::vector<storage::Storage*> storages_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeAdminService(std::vector<storage::Storage*> storages) {
  return std::make_unique<AdminService>(std::move(storages));
}

}  // namespace zrs::admin
