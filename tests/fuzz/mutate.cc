#include "tests/fuzz/mutate.h"

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <limits>
#include <string>

namespace zrs::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Numbers that are near each other, at the borders of their types, or any.
uint64_t NumberNear(Input& input, uint64_t now) {
  switch (input.Below(5)) {
    case 0:
      return now + input.Byte();
    case 1:
      return now - input.Byte();
    case 2:
      return input.Byte();
    case 3:
      return std::numeric_limits<uint64_t>::max() >> input.Below(64);
    default:
      return input.Number();
  }
}

std::string Damaged(Input& input, std::string bytes) {
  switch (input.Below(3)) {
    case 0:
      return std::string(input.Bytes(64));
    case 1:
      return bytes.substr(0, input.Below(std::min<size_t>(bytes.size(), 65535) + 1));
    default:
      if (!bytes.empty()) bytes[input.Below(std::min<size_t>(bytes.size(), 65535))] ^= static_cast<char>(input.Byte());
      return bytes;
  }
}

void MutateSingle(Input& input, Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.SetUInt64(&message, &field, NumberNear(input, reflection.GetUInt64(message, &field)));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(
          &message, &field,
          static_cast<int64_t>(NumberNear(input, static_cast<uint64_t>(reflection.GetInt64(message, &field)))));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.SetUInt32(&message, &field,
                                  static_cast<uint32_t>(NumberNear(input, reflection.GetUInt32(message, &field))));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnumValue(&message, &field, input.Byte());
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(&message, &field, Damaged(input, reflection.GetString(message, &field)));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return Mutate(input, *reflection.MutableMessage(&message, &field));
    default:
      return;
  }
}

void MutateRepeated(Input& input, Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, &field);
  const size_t what = input.Below(3);
  if (what == 0 && size > 0) return reflection.RemoveLast(&message, &field);
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    return reflection.AddString(&message, &field, std::string(input.Bytes(32)));
  }
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
  if (what == 1 && size > 0) {
    const int which = static_cast<int>(input.Below(static_cast<size_t>(size)));
    return Mutate(input, *reflection.MutableRepeatedMessage(&message, &field, which));
  }
  Message* added = reflection.AddMessage(&message, &field);
  if (size > 0) added->CopyFrom(reflection.GetRepeatedMessage(message, &field, size - 1));
  Mutate(input, *added);
}

}  // namespace

void Mutate(Input& input, Message& message) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  if (type.field_count() == 0) return;
  const FieldDescriptor& field = *type.field(static_cast<int>(input.Below(static_cast<size_t>(type.field_count()))));
  if (field.is_repeated()) return MutateRepeated(input, message, field);
  if (input.Below(8) == 0) return message.GetReflection()->ClearField(&message, &field);
  MutateSingle(input, message, field);
}

}  // namespace zrs::fuzz
