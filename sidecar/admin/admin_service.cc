#include "sidecar/admin/admin_service.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/admin.grpc.pb.h"
#include "sidecar/monitoring/gathering.h"
#include "sidecar/transport/unary_method.h"

namespace zrs::admin {
namespace {

class AdminService final : public transport::QueuedService {
 public:
  explicit AdminService(std::vector<storage::Storage*> storages) : storages_(std::move(storages)) {}

  std::string name() const override { return v1::Admin::service_full_name(); }
  grpc::Service& service() override { return service_; }
  void Serve(const transport::CallHost& host) override {
    wait_.Serve(host);
    pause_.Serve(host);
    resume_.Serve(host);
    promote_.Serve(host);
    demote_.Serve(host);
    adopt_.Serve(host);
    compare_.Serve(host);
    resync_.Serve(host);
  }

 private:
  using Async = v1::Admin::AsyncService;
  using WaitAnswer = transport::Answer<v1::WaitResponse>;
  using HoldAnswer = transport::Answer<v1::PauseResponse>;
  using PromoteAnswer = transport::Answer<v1::PromoteResponse>;
  using DemoteAnswer = transport::Answer<v1::DemoteResponse>;
  using AdoptAnswer = transport::Answer<v1::AdoptResponse>;
  using CompareAnswer = transport::Answer<v1::CompareResponse>;
  using ResyncAnswer = transport::Answer<v1::ResyncResponse>;
  using HoldFunction = absl::FunctionRef<void(storage::Storage&, absl::AnyInvocable<void(absl::Status)>)>;

  void Wait(const v1::WaitRequest& request, const WaitAnswer& answer) const {
    const std::vector<storage::Storage*> wanted = Named(request.storage());
    if (wanted.empty()) {
      v1::WaitResponse none;
      none.set_result(v1::WaitResponse::RESULT_NO_SUCH_STORAGE);
      none.set_message(NoSuchStorage(request.storage()));
      return answer(none);
    }
    auto gathering = std::make_shared<monitoring::Gathering<v1::WaitResponse>>(
        wanted.size(), [answer](std::vector<v1::WaitResponse> responses) { answer(Together(std::move(responses))); });
    const absl::Duration timeout =
        request.timeout_seconds() > 0 ? absl::Seconds(request.timeout_seconds()) : absl::InfiniteDuration();
    for (size_t i = 0; i < wanted.size(); ++i) {
      wanted[i]->Wait(
          request.replicas(), timeout, [answer] { return answer.wanted(); },
          [gathering, i](v1::WaitResponse one) { gathering->Put(i, std::move(one)); });
    }
  }

  void Pause(const v1::PauseRequest& request, const HoldAnswer& answer) const {
    Hold(
        request.storage(), answer, "paused: the file stays as it is until zrs resume",
        [](storage::Storage& storage, absl::AnyInvocable<void(absl::Status)> held) { storage.Pause(std::move(held)); });
  }

  void Resume(const v1::PauseRequest& request, const HoldAnswer& answer) const {
    Hold(request.storage(), answer, "resumed",
         [](storage::Storage& storage, absl::AnyInvocable<void(absl::Status)> held) {
           storage.Resume(std::move(held));
         });
  }

  // Answers when each storage of that name has done it.
  void Hold(const std::string& name, const HoldAnswer& answer, const char* done, HoldFunction hold) const {
    const std::vector<storage::Storage*> wanted = Named(name);
    if (wanted.empty()) {
      v1::PauseResponse none;
      none.set_result(v1::PauseResponse::RESULT_NO_SUCH_STORAGE);
      none.set_message(NoSuchStorage(name));
      return answer(none);
    }
    auto gathering = std::make_shared<monitoring::Gathering<absl::Status>>(
        wanted.size(), [answer, wanted, done](const std::vector<absl::Status>& held) {
          v1::PauseResponse response;
          for (size_t i = 0; i < wanted.size(); ++i) {
            if (!held[i].ok()) continue;
            absl::StrAppend(response.mutable_message(), response.message().empty() ? "" : "\n", "storage ",
                            wanted[i]->name(), " ", done);
          }
          const bool any = !response.message().empty();
          response.set_result(any ? v1::PauseResponse::RESULT_DONE : v1::PauseResponse::RESULT_NOT_SECONDARY);
          if (!any) response.set_message(std::string(held[0].message()));
          answer(response);
        });
    for (size_t i = 0; i < wanted.size(); ++i) {
      hold(*wanted[i], [gathering, i](absl::Status held) { gathering->Put(i, std::move(held)); });
    }
  }

  void Promote(const v1::PromoteRequest& request, const PromoteAnswer& answer) const {
    const std::vector<storage::Storage*> wanted = Named(request.storage());
    if (wanted.empty()) {
      v1::PromoteResponse none;
      none.set_message(NoSuchStorage(request.storage()));
      return answer(none);
    }
    auto gathering = std::make_shared<monitoring::Gathering<v1::PromotedStorage>>(
        wanted.size(), [answer](std::vector<v1::PromotedStorage> storages) {
          v1::PromoteResponse response;
          for (v1::PromotedStorage& storage : storages) *response.add_storages() = std::move(storage);
          answer(response);
        });
    // A caller that does not say takes the least risk.
    const bool said = request.upstream() != v1::PromoteRequest::UPSTREAM_UNSPECIFIED;
    for (size_t i = 0; i < wanted.size(); ++i) {
      wanted[i]->Promote(
          said ? request.upstream() : v1::PromoteRequest::UPSTREAM_MUST_BE_GONE, [answer] { return answer.wanted(); },
          [gathering, i](v1::PromotedStorage one) { gathering->Put(i, std::move(one)); });
    }
  }

  void Demote(const v1::DemoteRequest& request, const DemoteAnswer& answer) const {
    storage::Storage* const wanted = TheOne<v1::DemoteResponse>(request.storage(), answer);
    if (wanted == nullptr) return;
    wanted->Demote([answer, name = wanted->name()](const absl::Status& status) {
      v1::DemoteResponse demoted;
      demoted.set_result(status.ok() ? v1::DemoteResponse::RESULT_DONE : v1::DemoteResponse::RESULT_REFUSED);
      demoted.set_message(status.ok() ? absl::StrCat("storage ", name, " is a secondary now: see zrs status")
                                      : std::string(status.message()));
      answer(demoted);
    });
  }

  void Adopt(const v1::AdoptRequest& request, const AdoptAnswer& answer) const {
    storage::Storage* const wanted = TheOne<v1::AdoptResponse>(request.storage(), answer);
    if (wanted == nullptr) return;
    wanted->Adopt(request.as(), [answer](const absl::StatusOr<std::string>& done) {
      v1::AdoptResponse response;
      response.set_result(done.ok() ? v1::AdoptResponse::RESULT_DONE : v1::AdoptResponse::RESULT_REFUSED);
      response.set_message(done.ok() ? *done : std::string(done.status().message()));
      answer(response);
    });
  }

  void Compare(const v1::CompareRequest& request, const CompareAnswer& answer) const {
    storage::Storage* const wanted = TheOne<v1::CompareResponse>(request.storage(), answer);
    if (wanted == nullptr) return;
    wanted->Compare(
        request.rate(), [answer] { return answer.wanted(); },
        [answer](const v1::CompareResponse& response) { answer(response); });
  }

  void Resync(const v1::ResyncRequest& request, const ResyncAnswer& answer) const {
    storage::Storage* const wanted = TheOne<v1::ResyncResponse>(request.storage(), answer);
    if (wanted == nullptr) return;
    wanted->Resync(
        request.dry_run(), [answer] { return answer.wanted(); },
        [answer](const v1::ResyncResponse& response) { answer(response); });
  }

  // For what is not to be done to several at once. Where it is not clear which one is meant that is answered.
  template <typename Response>
  storage::Storage* TheOne(const std::string& name, const transport::Answer<Response>& answer) const {
    const std::vector<storage::Storage*> found = Named(name);
    if (found.size() == 1) return found[0];
    Response response;
    response.set_result(Response::RESULT_NO_SUCH_STORAGE);
    response.set_message(found.empty() ? NoSuchStorage(name) : "there are several storages: name one");
    answer(response);
    return nullptr;
  }

  std::vector<storage::Storage*> Named(const std::string& name) const {
    if (name.empty()) return storages_;
    std::vector<storage::Storage*> found;
    std::copy_if(storages_.begin(), storages_.end(), std::back_inserter(found),
                 [&name](const storage::Storage* storage) { return storage->name() == name; });
    return found;
  }

  std::string NoSuchStorage(const std::string& name) const {
    std::string names;
    for (const storage::Storage* storage : storages_)
      absl::StrAppend(&names, names.empty() ? "" : ", ", storage->name());
    return absl::StrCat("no storage ", name, " here; there are: ", names);
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
  Async service_;
  const transport::UnaryMethod<v1::WaitRequest, v1::WaitResponse> wait_{
      service_, &Async::RequestWait, [this](const auto& request, const auto& answer) { Wait(request, answer); }};
  const transport::UnaryMethod<v1::PauseRequest, v1::PauseResponse> pause_{
      service_, &Async::RequestPause, [this](const auto& request, const auto& answer) { Pause(request, answer); }};
  const transport::UnaryMethod<v1::PauseRequest, v1::PauseResponse> resume_{
      service_, &Async::RequestResume, [this](const auto& request, const auto& answer) { Resume(request, answer); }};
  const transport::UnaryMethod<v1::PromoteRequest, v1::PromoteResponse> promote_{
      service_, &Async::RequestPromote, [this](const auto& request, const auto& answer) { Promote(request, answer); }};
  const transport::UnaryMethod<v1::DemoteRequest, v1::DemoteResponse> demote_{
      service_, &Async::RequestDemote, [this](const auto& request, const auto& answer) { Demote(request, answer); }};
  const transport::UnaryMethod<v1::AdoptRequest, v1::AdoptResponse> adopt_{
      service_, &Async::RequestAdopt, [this](const auto& request, const auto& answer) { Adopt(request, answer); }};
  const transport::UnaryMethod<v1::CompareRequest, v1::CompareResponse> compare_{
      service_, &Async::RequestCompare, [this](const auto& request, const auto& answer) { Compare(request, answer); }};
  const transport::UnaryMethod<v1::ResyncRequest, v1::ResyncResponse> resync_{
      service_, &Async::RequestResync, [this](const auto& request, const auto& answer) { Resync(request, answer); }};
};

}  // namespace

std::unique_ptr<transport::QueuedService> MakeAdminService(std::vector<storage::Storage*> storages) {
  return std::make_unique<AdminService>(std::move(storages));
}

}  // namespace zrs::admin
