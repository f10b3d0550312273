#include "luatrail/base/elf.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include "luatrail/base/descriptor.hpp"

namespace luatrail::base {
namespace {

constexpr std::size_t most_segments = 64;
constexpr std::size_t most_tags = 4096;
constexpr std::size_t most_names = 512;
constexpr std::size_t most_name = 256; // with its end

bool read_at(int fd, std::uint64_t at, void* into, std::size_t size) {
    return at <= INT64_MAX && ::pread(fd, into, size, static_cast<off_t>(at)) == static_cast<ssize_t>(size);
}

// How many items of the file lie there; a file may claim more than it has.
template <typename Item>
std::vector<Item> read_items(int fd, std::uint64_t at, std::size_t count) {
    std::vector<Item> items(count);
    const auto got = at > INT64_MAX ? -1 : ::pread(fd, items.data(), count * sizeof(Item), static_cast<off_t>(at));
    items.resize(got < 0 ? 0 : static_cast<std::size_t>(got) / sizeof(Item));
    return items;
}

// The same for both word sizes.
template <typename Header, typename Segment, typename Tag>
std::optional<std::vector<std::string>> needed_in(int fd) {
    Header header{};
    if (!read_at(fd, 0, &header, sizeof header) || header.e_phentsize != sizeof(Segment)) {
        return std::nullopt;
    }
    const auto segments = read_items<Segment>(fd, header.e_phoff, std::min<std::size_t>(header.e_phnum, most_segments));
    const auto dynamic =
        std::find_if(segments.begin(), segments.end(), [](const Segment& one) { return one.p_type == PT_DYNAMIC; });
    std::vector<std::string> names;
    if (dynamic == segments.end()) {
        return names;
    }
    const auto tags =
        read_items<Tag>(fd, dynamic->p_offset, std::min<std::size_t>(dynamic->p_filesz / sizeof(Tag), most_tags));
    const auto end = std::find_if(tags.begin(), tags.end(), [](const Tag& tag) { return tag.d_tag == DT_NULL; });
    const auto table = std::find_if(tags.begin(), end, [](const Tag& tag) { return tag.d_tag == DT_STRTAB; });
    if (table == end) {
        return names;
    }
    // Tags hold addresses; which bytes of the file lie there, the segments say.
    const auto address = table->d_un.d_ptr;
    const auto holds = std::find_if(segments.begin(), segments.end(), [address](const Segment& one) {
        return one.p_type == PT_LOAD && address >= one.p_vaddr && address - one.p_vaddr < one.p_filesz;
    });
    if (holds == segments.end()) {
        return std::nullopt;
    }
    for (auto tag = tags.begin(); tag != end && names.size() < most_names; ++tag) {
        if (tag->d_tag == DT_NEEDED) {
            const auto at = std::uint64_t{holds->p_offset} + (address - holds->p_vaddr) + tag->d_un.d_val;
            const auto text = read_items<char>(fd, at, most_name);
            const auto stop = std::find(text.begin(), text.end(), '\0');
            if (stop != text.end()) {
                names.emplace_back(text.begin(), stop);
            }
        }
    }
    return names;
}

} // namespace

std::optional<std::vector<std::string>> needed_libraries(int fd) {
    std::array<unsigned char, EI_NIDENT> start{};
    constexpr auto order = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
    if (!read_at(fd, 0, start.data(), start.size()) || std::memcmp(start.data(), ELFMAG, SELFMAG) != 0 ||
        start[EI_DATA] != order) {
        return std::nullopt;
    }
    if (start[EI_CLASS] == ELFCLASS64) {
        return needed_in<Elf64_Ehdr, Elf64_Phdr, Elf64_Dyn>(fd);
    }
    return start[EI_CLASS] == ELFCLASS32 ? needed_in<Elf32_Ehdr, Elf32_Phdr, Elf32_Dyn>(fd) : std::nullopt;
}

std::optional<std::vector<std::string>> needed_libraries(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    return file.get() < 0 ? std::nullopt : needed_libraries(file.get());
}

} // namespace luatrail::base
