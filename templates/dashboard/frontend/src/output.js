// The Output widget: whatever a cell may print. Loaded only where one stands, because its renderers are large.
import { OutputModel as Recorded, OutputView } from "@jupyter-widgets/html-manager/lib/output";
import { WIDGET_MIMETYPE, WidgetRenderer } from "@jupyter-widgets/html-manager/lib/output_renderers";
import { RenderMimeRegistry, standardRendererFactories } from "@jupyterlab/rendermime";
import { tame } from "./inert.js";

/** Return the library for a manager, which gets the renderers. */
export function forManager(manager) {
  manager.display_view = async (view, place) => manager.attach(await view, place);
  manager.renderMime ??= new RenderMimeRegistry({ initialFactories: standardRendererFactories });
  manager.renderMime.addFactory({ safe: false, mimeTypes: [WIDGET_MIMETYPE], createRenderer: (options) => new WidgetRenderer(options, manager) }, 0);

  class OutputModel extends Recorded {
    initialize(attributes, options) {
      super.initialize(attributes, options);
      this.comm.silent = true; // what is printed is no doing of the visitor's
      this.listenTo(this, "change:msg_id", () => this.follow());
    }

    get(name) {
      const value = super.get(name);
      return name === "outputs" && Array.isArray(value) ? value.map(tame) : value;
    }

    /** Show what the message of this id makes the kernel print. */
    follow() {
      const { outputs } = manager.exchange;
      for (const [id, model] of outputs) if (model === this) outputs.delete(id);
      if (this.get("msg_id")) outputs.set(this.get("msg_id"), this);
    }

    add(message) {
      const { msg_type } = message.header;
      if (msg_type === "clear_output") this.clear_output(message.content.wait);
      else if (["display_data", "execute_result", "stream", "error"].includes(msg_type)) this.outputs.add(tame({ ...message.content, output_type: msg_type }));
      else return;
      this.set("outputs", this.outputs.toJSON(), { newMessage: true });
      this.save_changes();
    }
  }
  return { OutputModel, OutputView };
}
