// What surrounds a run: logins, units, the servers that run Lua inside, what the programs around it are for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "detect/node.hpp"
#include "detect/programs.hpp"
#include "luatrail/audit/typed.hpp"
#include "luatrail/detect/engine.hpp"

namespace luatrail::detect {

// A finding about a process by what is known of it, without its code and its circumstances: another event than its exec
// shows that it runs Lua.
Finding describe_image(const Node& node, const audit::TypedEvent& event, host::ProcessRef who,
                       std::string_view profile);

// What surrounds the process of a finding: its tree, packages, unit and login, and whether that is expected.
void add_circumstances(const Node& node, host::ProcessRef process, const EngineOptions& options, Finding& finding);

// What an actor's program is for, which program above it shows the way in, and the login that it belongs to.
void describe_actor(const Node& node, host::ProcessRef who, const audit::EventId& at, const ProfileSet& profiles,
                    Actor& actor);

// Remembers a login, and that systemd started a unit.
void note_message(Node& node, const audit::EventId& event, const audit::Message& message);

// The unit that systemd said to have started when it forked the topmost process above this one; nothing where several
// could be meant.
std::optional<std::string> unit_started(const Node& node, const std::vector<const host::Process*>& ancestors,
                                        const host::Process& run, const audit::EventId& now);

} // namespace luatrail::detect
