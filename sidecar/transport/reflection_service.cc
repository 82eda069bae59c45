#include "sidecar/transport/reflection_service.h"

#include <set>
#include <utility>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_stream.h"

namespace zrs::transport {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1alpha::ServerReflection;
using Request = grpc::reflection::v1alpha::ServerReflectionRequest;
using Response = grpc::reflection::v1alpha::ServerReflectionResponse;

void SetError(grpc::StatusCode code, const std::string& message, Response& response) {
  response.mutable_error_response()->set_error_code(code);
  response.mutable_error_response()->set_error_message(message);
}

// The file, and before it what it imports, each once.
void AddFile(const FileDescriptor& file, std::set<const FileDescriptor*>& added, Response& response) {
  if (!added.insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), added, response);
  google::protobuf::FileDescriptorProto described;
  file.CopyTo(&described);
  response.mutable_file_descriptor_response()->add_file_descriptor_proto(described.SerializeAsString());
}

void SetFile(const FileDescriptor* file, const std::string& asked, Response& response) {
  if (file == nullptr) return SetError(grpc::StatusCode::NOT_FOUND, "no .proto file here has " + asked, response);
  std::set<const FileDescriptor*> added;
  AddFile(*file, added, response);
}

void SetExtensionNumbers(const DescriptorPool& pool, const std::string& type, Response& response) {
  const Descriptor* const found = pool.FindMessageTypeByName(type);
  if (found == nullptr) return SetError(grpc::StatusCode::NOT_FOUND, "no message type " + type, response);
  std::vector<const FieldDescriptor*> extensions;
  pool.FindAllExtensions(found, &extensions);
  auto& numbers = *response.mutable_all_extension_numbers_response();
  numbers.set_base_type_name(type);
  for (const FieldDescriptor* const extension : extensions) numbers.add_extension_number(extension->number());
}

const FileDescriptor* FileOfExtension(const DescriptorPool& pool, const std::string& type, int number) {
  const Descriptor* const extended = pool.FindMessageTypeByName(type);
  const FieldDescriptor* const found = extended == nullptr ? nullptr : pool.FindExtensionByNumber(extended, number);
  return found == nullptr ? nullptr : found->file();
}

}  // namespace

Response Reflect(const Request& request, const std::vector<std::string>& services) {
  const DescriptorPool& pool = *DescriptorPool::generated_pool();
  Response response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Request::kFileByFilename:
      SetFile(pool.FindFileByName(request.file_by_filename()), "the name " + request.file_by_filename(), response);
      break;
    case Request::kFileContainingSymbol:
      SetFile(pool.FindFileContainingSymbol(request.file_containing_symbol()),
              "the symbol " + request.file_containing_symbol(), response);
      break;
    case Request::kFileContainingExtension: {
      const auto& asked = request.file_containing_extension();
      SetFile(FileOfExtension(pool, asked.containing_type(), asked.extension_number()),
              "this extension of " + asked.containing_type(), response);
      break;
    }
    case Request::kAllExtensionNumbersOfType:
      SetExtensionNumbers(pool, request.all_extension_numbers_of_type(), response);
      break;
    case Request::kListServices:
      for (const std::string& name : services) response.mutable_list_services_response()->add_service()->set_name(name);
      break;
    default:
      SetError(grpc::StatusCode::INVALID_ARGUMENT, "the request asks for nothing", response);
  }
  return response;
}

// Reads a request, answers it, reads the next. Each operation begins where the one before it was answered: so none does
// once the call has ended, and no one else knows of it.
class ReflectionService::StreamCall final : public ServiceCall {
 public:
  static void WaitForNext(ReflectionService& reflection, const CallHost& host) {
    auto* const call = new StreamCall(reflection, host);
    reflection.service_.RequestServerReflectionInfo(&call->context_, &call->stream_, host.queue, host.queue,
                                                    call->Tag(call->arrive_));
  }

 private:
  StreamCall(ReflectionService& reflection, const CallHost& host) : ServiceCall(host), reflection_(reflection) {}

  void Arrived(bool ok) {
    if (!ok) return;
    WaitForNext(reflection_, host());
    Read();
  }
  void Read() { stream_.Read(&request_, Tag(read_)); }
  void Received(bool ok) {
    if (!ok) return stream_.Finish(grpc::Status::OK, Tag(finish_));
    stream_.Write(Reflect(request_, reflection_.services_), Tag(write_));
  }

  ReflectionService& reflection_;
  grpc::ServerContext context_;
  Request request_;
  grpc::ServerAsyncReaderWriter<Response, Request> stream_{&context_};
  Operation arrive_{this, [this](bool ok) { Arrived(ok); }};
  Operation read_{this, [this](bool ok) { Received(ok); }};
  // A call that broke is told as the end of its requests.
  Operation write_{this, [this](bool) { Read(); }};
  Operation finish_{this, [](bool) {}};
};

ReflectionService::ReflectionService(std::vector<std::string> services) : services_(std::move(services)) {
  services_.push_back(name());
}

std::string ReflectionService::name() const { return ServerReflection::service_full_name(); }

void ReflectionService::Serve(const CallHost& host) { StreamCall::WaitForNext(*this, host); }

}  // namespace zrs::transport
