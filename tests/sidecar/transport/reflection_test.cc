// grpc.reflection.v1alpha: what is answered, and that a stream carries it.
#include <optional>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.pb.h"
#include "gtest/gtest.h"
#include "sidecar/transport/reflection_service.h"
#include "tests/sidecar/transport/loopback.h"
#include "tests/sidecar/transport/raw_call.h"

namespace zrs::transport {
namespace {

using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
using Response = grpc::reflection::v1alpha::ServerReflectionResponse;

constexpr char kReplication[] = "proto/zrs/v1/replication.proto";

// The names of the files in it.
std::vector<std::string> Files(const Response& response) {
  std::vector<std::string> names;
  for (const std::string& encoded : response.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    EXPECT_TRUE(file.ParseFromString(encoded));
    names.push_back(file.name());
  }
  return names;
}

std::vector<std::string> Services(const Response& response) {
  std::vector<std::string> names;
  for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
  return names;
}

Response FileOfSymbol(const std::string& symbol) {
  Request request;
  request.set_file_containing_symbol(symbol);
  return Reflect(request, {});
}

TEST(Reflect, ListsTheServicesOfTheServer) {
  Request request;
  request.set_host("here");
  request.set_list_services("*");
  const Response response = Reflect(request, {"a.A", "b.B"});
  EXPECT_EQ(Services(response), (std::vector<std::string>{"a.A", "b.B"}));
  EXPECT_EQ(response.valid_host(), "here");
  EXPECT_EQ(response.original_request().SerializeAsString(), request.SerializeAsString());
}

TEST(Reflect, FindsTheFileOfAServiceAMethodAndAMessage) {
  for (const char* symbol : {"zrs.v1.Replication", "zrs.v1.Replication.Follow", "zrs.v1.Batch", "zrs.v1.Batch.data"}) {
    EXPECT_EQ(Files(FileOfSymbol(symbol)), std::vector<std::string>{kReplication}) << symbol;
  }
}

TEST(Reflect, GivesAFileWithWhatItImportsEachOnce) {
  Request request;
  request.set_file_by_filename("google/protobuf/api.proto");
  EXPECT_EQ(Files(Reflect(request, {})),
            (std::vector<std::string>{"google/protobuf/source_context.proto", "google/protobuf/any.proto",
                                      "google/protobuf/type.proto", "google/protobuf/api.proto"}));
}

TEST(Reflect, WhatIsNotThereIsNotFound) {
  std::vector<Request> requests(4);
  requests[0].set_file_by_filename("other.proto");
  requests[1].set_file_containing_symbol("other.Symbol");
  requests[2].mutable_file_containing_extension()->set_containing_type("zrs.v1.Batch");
  requests[3].set_all_extension_numbers_of_type("other.Message");
  for (const Request& request : requests) {
    const Response response = Reflect(request, {});
    EXPECT_EQ(response.error_response().error_code(), grpc::StatusCode::NOT_FOUND) << request.ShortDebugString();
    EXPECT_FALSE(response.error_response().error_message().empty());
  }
}

TEST(Reflect, AMessageWithoutExtensionsHasNone) {
  Request request;
  request.set_all_extension_numbers_of_type("zrs.v1.Batch");
  const Response response = Reflect(request, {});
  EXPECT_EQ(response.all_extension_numbers_response().base_type_name(), "zrs.v1.Batch");
  EXPECT_EQ(response.all_extension_numbers_response().extension_number_size(), 0);
}

TEST(Reflect, ARequestForNothingIsInvalid) {
  EXPECT_EQ(Reflect(Request(), {}).error_response().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

class ReflectionStream : public ::testing::Test {
 protected:
  FakeStorages storages_{{"one"}};
  std::unique_ptr<ReplicationServer> server_ = MustStart({.address = "127.0.0.1:0"}, storages_);
  RawCall call_{LoopbackAddress(*server_), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"};
};

TEST_F(ReflectionStream, AnswersEachRequestAndEndsWithThem) {
  Request list;
  list.set_list_services("");
  Request file;
  file.set_file_containing_symbol("grpc.health.v1.Health");
  for (const Request& request : {list, file, list}) {
    ASSERT_TRUE(call_.Write(request.SerializeAsString()));
    const std::optional<std::string> bytes = call_.Read();
    Response response;
    ASSERT_TRUE(bytes && response.ParseFromString(*bytes));
    if (request.has_list_services()) {
      EXPECT_EQ(Services(response), (std::vector<std::string>{"zrs.v1.Replication", "grpc.health.v1.Health",
                                                              "grpc.reflection.v1alpha.ServerReflection"}));
    } else {
      EXPECT_EQ(Files(response).size(), 1u);
    }
  }
  call_.WritesDone();
  EXPECT_FALSE(call_.Read().has_value());
  EXPECT_TRUE(call_.Finish().ok());
}

TEST_F(ReflectionStream, HoldsNoShutdownUp) {
  server_.reset();
  EXPECT_FALSE(call_.Read().has_value());
}

}  // namespace
}  // namespace zrs::transport
