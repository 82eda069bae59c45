#include "sidecar/storage/state_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace zrs::storage {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Whether protobuf prints the text as it is.
bool IsPlain(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>'; });
}

void NewLine(size_t depth, std::string* out) {
  out->push_back('\n');
  out->append(depth, ' ');
}

bool AppendMessage(const Message& message, size_t depth, std::string* out);

// False where that is left to protobuf.
bool AppendText(const std::string& text, std::string* out) {
  absl::StrAppend(out, "\"", text, "\"");
  return IsPlain(text);
}

bool AppendScalar(const Message& message, const FieldDescriptor& field, std::string* out) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      return AppendText(reflection.GetStringReference(message, &field, &scratch), out);
    }
    case FieldDescriptor::CPPTYPE_UINT64:  // more than a JSON number can tell exactly
      absl::StrAppend(out, "\"", reflection.GetUInt64(message, &field), "\"");
      return true;
    case FieldDescriptor::CPPTYPE_UINT32:
      absl::StrAppend(out, reflection.GetUInt32(message, &field));
      return true;
    case FieldDescriptor::CPPTYPE_BOOL:
      absl::StrAppend(out, reflection.GetBool(message, &field) ? "true" : "false");
      return true;
    default:
      return false;
  }
}

bool AppendList(const Message& message, const FieldDescriptor& field, size_t depth, std::string* out) {
  const Reflection& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, &field);
  out->push_back('[');
  for (int i = 0; i < size; ++i) {
    if (i > 0) out->push_back(',');
    NewLine(depth + 1, out);
    std::string scratch;
    bool plain = false;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      plain = AppendMessage(reflection.GetRepeatedMessage(message, &field, i), depth + 1, out);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      plain = AppendText(reflection.GetRepeatedStringReference(message, &field, i, &scratch), out);
    }
    if (!plain) return false;
  }
  if (size > 0) NewLine(depth, out);
  out->push_back(']');
  return true;
}

bool AppendMessage(const Message& message, size_t depth, std::string* out) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  bool first = true;
  out->push_back('{');
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (field.has_presence() && !message.GetReflection()->HasField(message, &field)) continue;
    if (!std::exchange(first, false)) out->push_back(',');
    NewLine(depth + 1, out);
    absl::StrAppend(out, "\"", field.json_name(), "\": ");
    const bool plain = field.is_repeated() ? AppendList(message, field, depth + 1, out)
                       : is_message
                           ? AppendMessage(message.GetReflection()->GetMessage(message, &field), depth + 1, out)
                           : AppendScalar(message, field, out);
    if (!plain) return false;
  }
  if (!first) NewLine(depth, out);
  out->push_back('}');
  return true;
}

}  // namespace

absl::StatusOr<std::string> StateToJson(const v1::StorageState& state) {
  std::string json;
  if (AppendMessage(state, 0, &json)) return json += "\n";
  json.clear();
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  const auto printed = google::protobuf::util::MessageToJsonString(state, &json, options);
  if (!printed.ok()) return absl::InternalError(printed.ToString());
  return json;
}

}  // namespace zrs::storage
