// grpc.health.v1, asked by hand-made bytes: so that what is on the wire is told as it is.
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/sidecar/transport/loopback.h"
#include "tests/sidecar/transport/raw_call.h"

namespace zrs::transport {
namespace {

// HealthCheckResponse.status, field 1.
const std::string kServing = "\x08\x01";
const std::string kNotServing = "\x08\x02";
const std::string kServiceUnknown = "\x08\x03";
constexpr char kWatch[] = "/grpc.health.v1.Health/Watch";

// HealthCheckRequest.service, field 1; a name of less than 128 bytes.
std::string Request(const std::string& service) {
  return service.empty() ? "" : std::string("\x0a") + static_cast<char>(service.size()) + service;
}

class HealthTest : public ::testing::Test {
 protected:
  std::string Check(const std::string& service) {
    RawCall call(LoopbackAddress(*server_), "/grpc.health.v1.Health/Check");
    call.Write(Request(service));
    call.WritesDone();
    const std::string answer = call.Read().value_or("");
    status_ = call.Finish();
    return answer;
  }

  FakeStorages storages_{{"one"}};
  std::unique_ptr<ReplicationServer> server_ = MustStart({.address = "127.0.0.1:0"}, storages_);
  grpc::Status status_;
};

TEST_F(HealthTest, TheProcessBeginsAsServing) {
  EXPECT_EQ(Check(""), kServing);
  EXPECT_TRUE(status_.ok());
}

TEST_F(HealthTest, OneServicePerStorage) {
  server_->SetServing("one", true);
  server_->SetServing("two", false);
  EXPECT_EQ(Check("one"), kServing);
  EXPECT_EQ(Check("two"), kNotServing);
}

TEST_F(HealthTest, Changes) {
  server_->SetServing("one", true);
  server_->SetServing("one", false);
  EXPECT_EQ(Check("one"), kNotServing);
  server_->SetServing("", false);
  EXPECT_EQ(Check(""), kNotServing);
}

TEST_F(HealthTest, AnUnknownServiceIsNotFound) {
  EXPECT_EQ(Check("three"), "");
  EXPECT_EQ(status_.error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(HealthTest, AWatchIsToldOfChangesAndHoldsNoShutdownUp) {
  server_->SetServing("one", true);
  RawCall call(LoopbackAddress(*server_), kWatch);
  call.Write(Request("one"));
  call.WritesDone();
  EXPECT_EQ(call.Read(), kServing);
  server_->SetServing("one", false);
  EXPECT_EQ(call.Read(), kNotServing);
  server_.reset();
  // It may be told once more before the end.
  while (const auto last = call.Read()) EXPECT_EQ(*last, kNotServing);
}

TEST_F(HealthTest, AWatchOfAnUnknownServiceWaitsForIt) {
  RawCall call(LoopbackAddress(*server_), kWatch);
  call.Write(Request("three"));
  call.WritesDone();
  EXPECT_EQ(call.Read(), kServiceUnknown);
  server_->SetServing("three", false);
  EXPECT_EQ(call.Read(), kNotServing);
  server_->SetServing("three", true);
  EXPECT_EQ(call.Read(), kServing);
}

TEST_F(HealthTest, AWatchIsToldOfNothingButItsOwnChanges) {
  server_->SetServing("one", true);
  RawCall call(LoopbackAddress(*server_), kWatch);
  call.Write(Request("one"));
  call.WritesDone();
  EXPECT_EQ(call.Read(), kServing);
  server_->SetServing("two", false);
  server_->SetServing("one", true);
  server_->SetServing("one", false);
  EXPECT_EQ(call.Read(), kNotServing);
}

TEST_F(HealthTest, EveryWatchIsToldAndOneThatLeftHarmsNobody) {
  auto first = std::make_unique<RawCall>(LoopbackAddress(*server_), kWatch);
  RawCall second(LoopbackAddress(*server_), kWatch);
  for (RawCall* const call : {first.get(), &second}) {
    call->Write("");
    call->WritesDone();
    EXPECT_EQ(call->Read(), kServing);
  }
  server_->SetServing("", false);
  EXPECT_EQ(first->Read(), kNotServing);
  first.reset();
  EXPECT_EQ(second.Read(), kNotServing);
  server_->SetServing("", true);
  EXPECT_EQ(second.Read(), kServing);
}

TEST_F(HealthTest, AWatchOfANameThatIsTooLongIsRefused) {
  RawCall call(LoopbackAddress(*server_), kWatch);
  const size_t length = 8 << 7;
  call.Write(std::string("\x0a\x80\x08") + std::string(length, 'n'));
  call.WritesDone();
  EXPECT_FALSE(call.Read().has_value());
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(HealthTest, AWatchIsToldOfAShutdownThatHasTime) {
  const std::unique_ptr<Dialer> dialer = MakeGrpcDialer();
  Connection connection = Connect(*dialer, LoopbackAddress(*server_), storages_);
  RawCall call(LoopbackAddress(*server_), kWatch);
  call.Write("");
  call.WritesDone();
  EXPECT_EQ(call.Read(), kServing);
  server_->Shutdown(absl::InfiniteDuration());
  EXPECT_EQ(call.Read(), kNotServing);
}

TEST_F(HealthTest, NothingServesWhileItIsShuttingDown) {
  const std::unique_ptr<Dialer> dialer = MakeGrpcDialer();
  Connection connection = Connect(*dialer, LoopbackAddress(*server_), storages_);
  server_->SetServing("one", true);
  server_->Shutdown(absl::InfiniteDuration());
  server_->SetServing("one", true);
  EXPECT_EQ(Check("one"), kNotServing);
  EXPECT_EQ(Check(""), kNotServing);
}

}  // namespace
}  // namespace zrs::transport
