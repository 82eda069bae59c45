// Asks a sidecar's Admin.Wait again and again, and tells when it answered: the benchmark's clock for "durable".
//
//   wait_probe SOCKET      each line of stdin is one call; answers by a line with the monotonic time of the answer, in
//                          seconds. "trip" instead times a call of Status.Get, which waits for nothing.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

#include "proto/zrs/v1/admin.grpc.pb.h"

namespace {

double Now() {
  // Python's time.monotonic() is the same clock.
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto channel = grpc::CreateChannel(std::string("unix:") + argv[1], grpc::InsecureChannelCredentials());
  const auto admin = zrs::v1::Admin::NewStub(channel);
  const auto status = zrs::v1::Status::NewStub(channel);
  for (std::string line; std::getline(std::cin, line);) {
    grpc::ClientContext context;
    grpc::Status done;
    zrs::v1::WaitResponse waited;
    if (line == "trip") {
      zrs::v1::StatusResponse response;
      done = status->Get(&context, {}, &response);
    } else {
      zrs::v1::WaitRequest request;
      request.set_timeout_seconds(10);
      done = admin->Wait(&context, request, &waited);
    }
    const double now = Now();
    const bool in_time = line == "trip" || waited.result() == zrs::v1::WaitResponse::RESULT_DONE;
    std::printf("%.9f %s\n", now, done.ok() && in_time ? "ok" : "failed");
    std::fflush(stdout);
  }
  return 0;
}
