// What PATH records say of kernels that do not say it themselves.
#pragma once

#include "luatrail/audit/typed.hpp"

namespace luatrail::audit {

// Kernels before 3.0, and some relays, write PATH records without nametype=. What each item is follows from the call
// and from how many there are, in the order in which the kernel looks names up (fs/namei.c): the parent before its
// child, of rename both parents first. Does nothing where one record has its type.
void infer_name_types(TypedEvent& event);

} // namespace luatrail::audit
