package io.sanavideo.pipeline;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sanavideo.Device;
import io.sanavideo.Kernels;
import io.sanavideo.LayerPolicy;
import io.sanavideo.LayerPrecision;
import io.sanavideo.Lora;
import io.sanavideo.LoraMode;
import io.sanavideo.Model;
import io.sanavideo.Precision;
import io.sanavideo.weights.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A {@link Model} as JSON: which one a project is made with, and how it runs. */
final class ProjectModel {
    private static final String DEMO = "demo";

    private ProjectModel() {}

    static ObjectNode json(Model model) {
        ObjectNode json = new ObjectMapper().createObjectNode();
        boolean isDemo = model.folder().equals(ModelFolder.demo());
        json.put("folder", isDemo ? DEMO : absolute(model.folder()));
        json.put("device", model.device().toString());
        json.put("threads", model.device().threads());
        json.put("precision", label(model.precision()));
        json.set("layers", json(model.layers()));
        json.put("products", label(model.kernels().products()));
        json.put("convolutions", label(model.kernels().convolutions()));
        json.put("kernels_of", model.kernels().recipe());
        json.put("trusted", model.trusted());
        ArrayNode loras = json.putArray("loras");
        for (Lora lora : model.loras()) {
            loras.addObject().put("file", absolute(lora.file())).put("scale", lora.scale());
        }
        json.put("lora_mode", model.loraMode().label());
        json.put("memory", Long.toString(model.memory()));
        return json;
    }

    private static String absolute(Path path) {
        return path.toAbsolutePath().normalize().toString();
    }

    private static String label(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private static ObjectNode json(LayerPolicy policy) {
        if (policy.rules() != null) {
            return policy.json();
        }
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("at_most", policy.most() == null ? null : policy.most().label());
        return json;
    }

    /**
     * @throws io.sanavideo.ModelFormatException when it is broken
     */
    static Model read(Json json) {
        String folder = json.requiredText("folder");
        Device device = Device.parse(json.requiredText("device"));
        int threads = json.requiredInt("threads", 0);
        List<Lora> loras = new ArrayList<>();
        for (Json lora : json.requiredObjects("loras")) {
            loras.add(new Lora(Path.of(lora.requiredText("file")), lora.requiredDouble("scale")));
        }
        Model model =
                Model.at(
                                folder.equals(DEMO) ? ModelFolder.demo() : Path.of(folder),
                                new Device(device.kind(), device.index(), threads))
                        .withPrecision(Precision.parse(json.requiredText("precision")))
                        .withLayers(layers(json.requiredObject("layers")))
                        .withKernels(
                                new Kernels(
                                        use(json, "products"),
                                        use(json, "convolutions"),
                                        json.optionalText("kernels_of", null)))
                        .withLoras(loras)
                        .withLoraMode(LoraMode.parse(json.requiredText("lora_mode")))
                        .withMemory(Long.parseLong(json.requiredText("memory")));
        return json.requiredBoolean("trusted") ? model.withoutReceipt() : model;
    }

    private static Kernels.Use use(Json json, String key) {
        return Kernels.Use.valueOf(json.requiredText(key).toUpperCase(Locale.ROOT));
    }

    private static LayerPolicy layers(Json json) {
        if (json.has("layers")) {
            return LayerPolicy.of(json);
        }
        String most = json.optionalText("at_most", null);
        return most == null ? LayerPolicy.OF_MODEL : LayerPolicy.atMost(LayerPrecision.parse(most));
    }
}
