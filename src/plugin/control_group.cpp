#include "plugin/control_group.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "luatrail/base/words.hpp"

namespace luatrail::plugin {
namespace {

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// An id as docker, podman, containerd and cri-o give it (64 digits), or as ECS does (32, and a number).
bool is_container_id(std::string_view name) {
    constexpr std::size_t whole = 64;
    constexpr std::size_t task = 32;
    if (name.size() == whole) {
        return is_hex(name);
    }
    return name.size() > task + 1 && name[task] == '-' && is_hex(name.substr(0, task)) &&
           name.find_first_not_of("0123456789", task + 1) == std::string_view::npos;
}

std::string_view without_suffix(std::string_view name) {
    for (const std::string_view suffix : {".scope", ".service", ".slice"}) {
        if (name.ends_with(suffix)) {
            return name.substr(0, name.size() - suffix.size());
        }
    }
    return name;
}

// systemd.unit(5), "String Escaping": "\x2d".
std::string unescaped(std::string_view name) {
    std::string out;
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (std::size_t at = 0; at < name.size(); ++at) {
        if (name.substr(at, 2) == "\\x" && name.size() - at >= 4 && is_hex(name.substr(at + 2, 2))) {
            out += static_cast<char>(digit(name[at + 2]) * 16 + digit(name[at + 3]));
            at += 3;
        } else {
            out += name[at];
        }
    }
    return out;
}

std::optional<std::string> container_of(std::string_view above, std::string_view part) {
    auto name = without_suffix(part);
    if (is_container_id(name)) {
        return std::string(name);
    }
    if (const auto dash = name.rfind('-'); dash != std::string_view::npos && is_container_id(name.substr(dash + 1))) {
        return std::string(name.substr(dash + 1)); // "docker-", "libpod-", "crio-", "cri-containerd-"
    }
    for (const std::string_view prefix : {"lxc.payload.", "systemd-nspawn@"}) {
        if (name.starts_with(prefix) && name.size() > prefix.size()) {
            return unescaped(name.substr(prefix.size()));
        }
    }
    if (constexpr std::string_view machine = "machine-"; name.starts_with(machine) && part.ends_with(".scope")) {
        return unescaped(name.substr(machine.size()));
    }
    return above == "lxc" ? std::optional<std::string>(part) : std::nullopt;
}

bool is_unit(std::string_view part) {
    return part.ends_with(".service") || part.ends_with(".scope");
}

} // namespace

ControlGroup parse_cgroup(std::string_view text) {
    ControlGroup found;
    // systemd's own hierarchy shows units: the only one of version 2 ("0::/..."), or a named one of version 1.
    std::string_view units;
    for (const auto line : base::lines(text)) {
        const auto first = line.find(':');
        const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) {
            continue;
        }
        const auto controllers = line.substr(first + 1, second - first - 1);
        const auto path = line.substr(second + 1);
        if (controllers == "name=systemd" || (controllers.empty() && units.empty())) {
            units = path;
        }
        std::string_view above;
        for (const auto part : base::full_fields(path, '/')) {
            if (auto container = container_of(above, part)) {
                found.container = std::move(container); // the innermost
            }
            above = part;
        }
    }
    for (auto part : base::full_fields(units, '/')) {
        if (is_unit(part)) {
            part.remove_prefix(part.front() == '_' ? 1 : 0); // systemd's way to keep a name from meaning something
            found.unit = std::string(part);
        }
    }
    return found;
}

} // namespace luatrail::plugin
