// Cases of the ops that move or make rows: patches, embeddings, modulation, sinusoids, rotation
// angles, frames.
#include <algorithm>

#include "case.hpp"

namespace kernels {
namespace {

struct Patch {
    int frames, height, width;
};

// tokens: f32 or bf16; latent: f32 [frames, height, width, channels]
struct Patches {
    Patch patch;
    Shape latent, tokens;

    Patches(Patch patch, int64_t t, int64_t y, int64_t x, int64_t channels)
        : patch(patch),
          latent{t * patch.frames, y * patch.height, x * patch.width, channels},
          tokens{t * y * x, channels * patch.frames * patch.height * patch.width} {}

    std::string text() const {
        return text_of(latent) + " in " + text_of({patch.frames, patch.height, patch.width});
    }
    double bytes(sv_dtype dtype) const {
        return bytes_of(SV_F32, latent) + bytes_of(dtype, tokens);
    }
};

Case patchify(sv_dtype dtype, const Patches& patches) {
    Case one{"patchify", patches.text(), dtype, {}, patches.bytes(dtype)};
    one.body = [=](Run& run) {
        auto [frames, height, width] = patches.patch;
        auto* in = run.input(SV_F32, patches.latent);
        auto* out = run.output(dtype, patches.tokens, kSameBits);
        run.op([&, f = frames, h = height, w = width] {
            return sv_patchify(run.context(), in, f, h, w, out);
        });
    };
    return one;
}

Case unpatchify(sv_dtype dtype, const Patches& patches) {
    Case one{"unpatchify", patches.text(), dtype, {}, patches.bytes(dtype)};
    one.body = [=](Run& run) {
        Patch p = patches.patch;
        auto* in = run.input(dtype, patches.tokens);
        auto* out = run.output(SV_F32, patches.latent, kSameBits);
        run.op([&] { return sv_unpatchify(run.context(), in, p.frames, p.height, p.width, out); });
    };
    return one;
}

Case embedding(sv_dtype dtype, int64_t vocabulary, int64_t count, int64_t channels) {
    Case one{"embedding",
             text_of({vocabulary, channels}) + ", " + std::to_string(count) + " ids",
             dtype,
             {},
             2 * bytes_of(dtype, {count, channels})};
    one.body = [=](Run& run) {
        auto* table = run.input(dtype, {vocabulary, channels});
        auto* out = run.output(dtype, {count, channels}, kSameBits);
        std::vector<int32_t> ids;
        for (float number : run.numbers(count, {0, static_cast<float>(vocabulary)})) {
            ids.push_back(
                std::min(static_cast<int32_t>(number), static_cast<int32_t>(vocabulary - 1)));
        }
        ids.front() = static_cast<int32_t>(vocabulary - 1);
        // sqrt(2240), which bf16 rounds.
        run.op([&] {
            std::vector<int32_t> given = ids;
            sv_status status =
                sv_embedding(run.context(), table, given.data(), count, 47.3286383f, out);
            std::fill(given.begin(), given.end(), -1);  // the op must be done with them
            return status;
        });
    };
    return one;
}

Case modulation(sv_dtype dtype, int64_t groups, int64_t rows, int64_t embedding_rows,
                int64_t channels) {
    Case one{"modulation",
             text_of({groups, rows, channels}) + " of " + std::to_string(embedding_rows),
             dtype,
             {},
             bytes_of(dtype, {groups, embedding_rows, channels}) +
                 bytes_of(SV_F32, {groups + 1, rows, channels})};
    one.body = [=](Run& run) {
        auto* table = run.input(SV_F32, {rows, channels});
        auto* embedding = run.input(dtype, {groups, embedding_rows, channels});
        auto* out = run.output(SV_F32, {groups, rows, channels}, kSameBits);
        run.op([&] { return sv_modulation(run.context(), table, embedding, out); });
    };
    return one;
}

Case timestep_sinusoids(sv_dtype dtype, int64_t count, int64_t channels) {
    Case one{"timestep_sinusoids",
             text_of({count, channels}),
             dtype,
             {},
             bytes_of(dtype, {count, channels})};
    one.body = [=](Run& run) {
        std::vector<float> drawn = run.numbers(count, {0, 1000});
        std::vector<double> timesteps(drawn.begin(), drawn.end());
        timesteps.back() = 1000;
        auto* out = run.output(dtype, {count, channels}, sum_bound(dtype, 1));
        run.op([&] { return sv_timestep_sinusoids(run.context(), timesteps.data(), count, out); });
    };
    return one;
}

Case rope_angles(int64_t first, int64_t frames, int64_t height, int64_t width, int64_t pairs) {
    Shape shape{frames * height * width, pairs, 2};
    Case one{"rope_angles",
             text_of({frames, height, width, pairs}) + " from " + std::to_string(first),
             SV_F32,
             {},
             bytes_of(SV_F32, shape)};
    one.body = [=](Run& run) {
        auto* out = run.output(SV_F32, shape, sum_bound(SV_F32, 1));
        run.op([&] {
            return sv_rope_angles(run.context(), first, frames, height, width, 10000.0, out);
        });
    };
    return one;
}

Case interleave_frames(sv_dtype dtype, int64_t frames, int64_t pixels, int64_t channels) {
    Shape in_shape{frames, pixels, 2 * channels}, out_shape{2 * frames, pixels, channels};
    Case one{"interleave_frames", text_of(in_shape), dtype, {}, 2 * bytes_of(dtype, in_shape)};
    one.body = [=](Run& run) {
        auto* in = run.input(dtype, in_shape);
        auto* out = run.output(dtype, out_shape, kSameBits);
        run.op([&] { return sv_interleave_frames(run.context(), in, out); });
    };
    return one;
}

}  // namespace

std::vector<Case> layout_cases() {
    std::vector<Case> cases;
    for (sv_dtype dtype : kFloats) {
        for (const Patches& patches :
             {Patches({1, 1, 1}, 1, 1, 1, 1), Patches({1, 2, 2}, 3, 5, 7, 16),
              Patches({1, 2, 2}, 2, 3, 1, 3), Patches({2, 1, 3}, 2, 3, 5, 4),
              Patches({2, 3, 2}, 2, 2, 3, 5), Patches({3, 2, 1}, 1, 2, 2, 12),
              Patches({1, 1, 1}, 2, 3, 4, 128)}) {
            cases.push_back(patchify(dtype, patches));
            cases.push_back(unpatchify(dtype, patches));
        }
        for (int64_t channels : {1, 4, 7, 8, 9, 24, 2304}) {
            cases.push_back(embedding(dtype, 11, 5, channels));
            cases.push_back(modulation(dtype, 3, 6, 6, channels));
            cases.push_back(modulation(dtype, 3, 2, 1, channels));
            cases.push_back(interleave_frames(dtype, 3, 5, channels));
        }
        for (int tensor : {0, 1}) {
            cases.push_back(unaligned(patchify(dtype, Patches({1, 2, 2}, 1, 2, 3, 8)), tensor));
            cases.push_back(unaligned(unpatchify(dtype, Patches({1, 2, 2}, 1, 2, 3, 8)), tensor));
            cases.push_back(unaligned(embedding(dtype, 11, 5, 24), tensor));
            cases.push_back(unaligned(interleave_frames(dtype, 3, 5, 24), tensor));
        }
        for (int tensor : {0, 1, 2}) {
            cases.push_back(unaligned(modulation(dtype, 3, 6, 6, 24), tensor));
        }
        cases.push_back(embedding(dtype, 1, 1, 16));
        cases.push_back(embedding(dtype, 257, 131, 16));
        cases.push_back(interleave_frames(dtype, 1, 1, 1));
        for (int64_t channels : {2, 6, 256}) {
            for (int64_t count : {1, 3, 43})
                cases.push_back(timestep_sinusoids(dtype, count, channels));
        }
    }
    for (int64_t pairs : {3, 4, 5, 6, 7, 12, 56}) cases.push_back(rope_angles(0, 3, 2, 5, pairs));
    cases.push_back(unaligned(rope_angles(0, 3, 2, 5, 56), 0));
    cases.push_back(rope_angles(4999, 2, 3, 4, 56));
    cases.push_back(rope_angles(17, 1, 1, 1, 32));
    return cases;
}

std::vector<Case> layout_perf_cases() {
    Patches latent({1, 2, 2}, 21, 30, 52, 16);
    return {
        patchify(SV_BF16, latent),
        unpatchify(SV_BF16, latent),
        embedding(SV_BF16, 256000, 300, 2304),
        modulation(SV_F32, 42, 6, 6, 2240),
        timestep_sinusoids(SV_BF16, 42, 256),
        rope_angles(0, 21, 30, 52, 56),
        interleave_frames(SV_BF16, 2, 120 * 208, 384),
    };
}

}  // namespace kernels
