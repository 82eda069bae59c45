// A call of any method with bytes of the test's choice, over a plain gRPC channel.
#ifndef ZRS_TESTS_SIDECAR_TRANSPORT_RAW_CALL_H_
#define ZRS_TESTS_SIDECAR_TRANSPORT_RAW_CALL_H_

#include <memory>
#include <optional>
#include <string>

#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/byte_buffer.h"

namespace zrs::transport {

inline constexpr char kFollow[] = "/zrs.v1.Replication/Follow";

grpc::ByteBuffer ToBuffer(const std::string& bytes);
std::string ToBytes(const grpc::ByteBuffer& buffer);

// Each function waits for its operation; not thread-safe.
class RawCall {
 public:
  RawCall(const std::string& address, const std::string& method);
  ~RawCall();
  RawCall(const RawCall&) = delete;
  RawCall& operator=(const RawCall&) = delete;

  bool Write(const std::string& bytes);
  bool WritesDone();
  // Nothing at the end of the stream.
  std::optional<std::string> Read();
  grpc::Status Finish();

 private:
  bool Wait();

  grpc::CompletionQueue queue_;
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream_;
};

}  // namespace zrs::transport

#endif  // ZRS_TESTS_SIDECAR_TRANSPORT_RAW_CALL_H_
