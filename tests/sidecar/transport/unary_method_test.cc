#include "sidecar/transport/unary_method.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "gtest/gtest.h"
#include "proto/zrs/v1/admin.grpc.pb.h"
#include "sidecar/transport/service_set.h"
#include "tests/sidecar/transport/raw_call.h"

namespace zrs::transport {
namespace {

using v1::WaitRequest;
using v1::WaitResponse;
using WaitAnswer = Answer<WaitResponse>;
using Handle = UnaryMethod<WaitRequest, WaitResponse>::Handle;

constexpr std::chrono::seconds kPatience{30};

class WaitService final : public QueuedService {
 public:
  explicit WaitService(Handle handle) : wait_(service_, &v1::Admin::AsyncService::RequestWait, std::move(handle)) {}
  std::string name() const override { return v1::Admin::service_full_name(); }
  grpc::Service& service() override { return service_; }
  void Serve(const CallHost& host) override { wait_.Serve(host); }

 private:
  v1::Admin::AsyncService service_;
  const UnaryMethod<WaitRequest, WaitResponse> wait_;
};

ServiceSet::Services Only(std::unique_ptr<QueuedService> service) {
  ServiceSet::Services services;
  services.push_back(std::move(service));
  return services;
}

class Server {
 public:
  explicit Server(Handle handle, int threads = 1) : services_(Only(std::make_unique<WaitService>(std::move(handle)))) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    services_.RegisterWith(builder);
    auto added = builder.AddCompletionQueue();
    auto* const queue = added.get();
    server_ = builder.BuildAndStart();
    threads_ = std::make_unique<CompletionThreads>(std::move(added), threads);
    services_.Serve(queue);
  }
  ~Server() {
    server_->Shutdown(gpr_inf_past(GPR_CLOCK_MONOTONIC));
    services_.WaitForEnd();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  int port_ = 0;
  ServiceSet services_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<CompletionThreads> threads_;
};

// What a client of one call gets.
struct Outcome {
  grpc::Status status;
  std::string message;
};

class Client {
 public:
  explicit Client(const std::string& address)
      : stub_(v1::Admin::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))) {}
  Outcome Ask(const std::string& storage) {
    WaitRequest request;
    request.set_storage(storage);
    WaitResponse response;
    Outcome outcome;
    outcome.status = stub_->Wait(&context_, request, &response);
    outcome.message = response.message();
    return outcome;
  }
  std::future<Outcome> AskInBackground(const std::string& storage) {
    return std::async(std::launch::async, [this, storage] { return Ask(storage); });
  }
  void Cancel() { context_.TryCancel(); }

 private:
  const std::unique_ptr<v1::Admin::Stub> stub_;
  grpc::ClientContext context_;
};

// The answers that a handler owes, for the test to give.
class Owed {
 public:
  Handle Keep() {
    return [this](const WaitRequest&, WaitAnswer answer) {
      const std::lock_guard<std::mutex> lock(mutex_);
      answers_.push_back(std::move(answer));
      changed_.notify_all();
    };
  }
  std::optional<WaitAnswer> Next() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return !answers_.empty(); })) return std::nullopt;
    WaitAnswer next = std::move(answers_.front());
    answers_.pop_front();
    return next;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<WaitAnswer> answers_;
};

WaitResponse Saying(const std::string& message) {
  WaitResponse response;
  response.set_message(message);
  return response;
}

void Echo(const WaitRequest& request, const WaitAnswer& answer) { answer(Saying("to " + request.storage())); }

// Whether it comes to that.
bool BecomesUnwanted(const WaitAnswer& answer) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (answer.wanted() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  return !answer.wanted();
}

TEST(UnaryMethod, AnswersOneCallAfterTheOther) {
  const Server server(Echo);
  EXPECT_EQ(Client(server.address()).Ask("a").message, "to a");
  const Outcome second = Client(server.address()).Ask("b");
  EXPECT_TRUE(second.status.ok()) << second.status.error_message();
  EXPECT_EQ(second.message, "to b");
}

TEST(UnaryMethod, AnAnswerMayComeLaterAndFromAnotherThread) {
  Owed owed;
  const Server server(owed.Keep());
  Client client(server.address());
  auto outcome = client.AskInBackground("a");
  const auto answer = owed.Next();
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->wanted());
  (*answer)(Saying("later"));
  EXPECT_EQ(outcome.get().message, "later");
}

TEST(UnaryMethod, AFailureIsToldAsItIs) {
  const Server server([](const WaitRequest&, const WaitAnswer& answer) {
    answer.Fail(grpc::Status(grpc::StatusCode::NOT_FOUND, "nothing here"));
  });
  const Outcome outcome = Client(server.address()).Ask("a");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(outcome.status.error_message(), "nothing here");
}

TEST(UnaryMethod, OnlyTheFirstAnswerIsOne) {
  Owed owed;
  const Server server(owed.Keep());
  Client client(server.address());
  auto outcome = client.AskInBackground("a");
  const auto answer = owed.Next();
  ASSERT_TRUE(answer.has_value());
  const WaitAnswer copy = *answer;
  (*answer)(Saying("first"));
  EXPECT_FALSE(copy.wanted());
  copy(Saying("second"));
  copy.Fail(grpc::Status(grpc::StatusCode::INTERNAL, "third"));
  const Outcome got = outcome.get();
  EXPECT_TRUE(got.status.ok());
  EXPECT_EQ(got.message, "first");
}

TEST(UnaryMethod, ACallThatItsClientGivesUpIsNoLongerWanted) {
  Owed owed;
  const Server server(owed.Keep());
  Client client(server.address());
  auto outcome = client.AskInBackground("a");
  const auto answer = owed.Next();
  ASSERT_TRUE(answer.has_value());
  client.Cancel();
  EXPECT_EQ(outcome.get().status.error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(BecomesUnwanted(*answer));
  (*answer)(Saying("to nobody"));
  Client next(server.address());
  auto another = next.AskInBackground("b");
  const auto answer_to_another = owed.Next();
  ASSERT_TRUE(answer_to_another.has_value());
  (*answer_to_another)(Saying("to somebody"));
  EXPECT_EQ(another.get().message, "to somebody");
}

TEST(UnaryMethod, AShutdownWaitsForNoAnswer) {
  Owed owed;
  auto server = std::make_unique<Server>(owed.Keep());
  Client client(server->address());
  auto outcome = client.AskInBackground("a");
  const auto answer = owed.Next();
  ASSERT_TRUE(answer.has_value());
  server.reset();
  EXPECT_FALSE(outcome.get().status.ok());
  EXPECT_FALSE(answer->wanted());
  (*answer)(Saying("to nobody"));
}

TEST(UnaryMethod, AShutdownWhileAnswersAreGiven) {
  Owed owed;
  auto server = std::make_unique<Server>(owed.Keep(), 2);
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::future<Outcome>> outcomes;
  std::vector<WaitAnswer> answers;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<Client>(server->address()));
    outcomes.push_back(clients.back()->AskInBackground("a"));
    const auto answer = owed.Next();
    ASSERT_TRUE(answer.has_value());
    answers.push_back(*answer);
  }
  std::thread answering([&] {
    for (const WaitAnswer& answer : answers) answer(Saying("just in time"));
  });
  server.reset();
  answering.join();
  for (auto& outcome : outcomes) {
    const Outcome got = outcome.get();
    EXPECT_EQ(got.message, got.status.ok() ? "just in time" : "");
  }
}

TEST(UnaryMethod, ManyCallsAtOnce) {
  constexpr int kClients = 8;
  constexpr int kCalls = 50;
  const Server server(Echo, 2);
  std::vector<std::future<int>> right;
  for (int client = 0; client < kClients; ++client) {
    right.push_back(std::async(std::launch::async, [&server, client] {
      int count = 0;
      for (int i = 0; i < kCalls; ++i) {
        const std::string name = absl::StrCat(client, "-", i);
        if (Client(server.address()).Ask(name).message == "to " + name) ++count;
      }
      return count;
    }));
  }
  for (auto& count : right) EXPECT_EQ(count.get(), kCalls);
}

TEST(UnaryMethod, ARequestThatIsNoneDisturbsNobody) {
  const Server server(Echo);
  RawCall call(server.address(), "/zrs.v1.Admin/Wait");
  call.Write("\xff\xff");
  call.WritesDone();
  EXPECT_FALSE(call.Read().has_value());
  EXPECT_FALSE(call.Finish().ok());
  EXPECT_EQ(Client(server.address()).Ask("a").message, "to a");
}

TEST(UnaryMethod, AMethodThatNobodyServesIsSaidToBeNone) {
  const Server server(Echo);
  RawCall call(server.address(), "/zrs.v1.Admin/Nothing");
  call.WritesDone();
  EXPECT_FALSE(call.Read().has_value());
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace zrs::transport
