// Rings an extension, then dials the customer; lists the calls of the last day; hangs up.
// .NET Framework 4.5 or later, or Mono: mcs -r:System.Net.Http -r:System.Web.Extensions Call.cs
using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Web.Script.Serialization;

public class DialEvent
{
    public string callid { get; set; }
    public string extend { get; set; }
    public string state { get; set; }
}

public class DialAnswer
{
    public int status { get; set; }
    public string call_status { get; set; }
    public string message { get; set; }
    public string callid { get; set; }
    public List<DialEvent> events { get; set; }
}

public class Row
{
    public long id { get; set; }
    public DateTime calldate { get; set; }
    public string callid { get; set; }
    public string src { get; set; }
    public string dst { get; set; }
    public string status { get; set; }
    public string type { get; set; }
    public int billsec { get; set; }
    public int duration { get; set; }
    public string download { get; set; }
}

public class Page
{
    public int recordsTotalAll { get; set; }
    public string next { get; set; }
    public List<Row> data { get; set; }
}

public class SearchAnswer
{
    public int status { get; set; }
    public string message { get; set; }
    public Page result { get; set; }
}

public static class Call
{
    const string Base = "{{base}}";
    const string Voip = "{{voip}}";
    const string Secret = "{{secret}}";
    const string Sip = "{{sip}}";
    const string Phone = "{{phone}}";

    static readonly HttpClient Http = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
    static readonly JavaScriptSerializer Json = new JavaScriptSerializer();

    static T Ask<T>(string path, Dictionary<string, string> parameters)
    {
        parameters["voip"] = Voip;
        parameters["secret"] = Secret;
        var pairs = parameters.Select(pair => pair.Key + "=" + Uri.EscapeDataString(pair.Value));
        var body = Http.GetStringAsync(Base + path + "?" + string.Join("&", pairs)).Result;
        return Json.Deserialize<T>(body);
    }

    public static int Main()
    {
        // The answer comes when the extension's phone rings.
        var two = new Dictionary<string, string> { { "sip", Sip }, { "phone", Phone } };
        var call = Ask<DialAnswer>("/dial", two);
        if (call.call_status != "Success")
        {
            Console.Error.WriteLine(call.call_status + ": " + call.message);
            return 1;
        }
        Console.WriteLine("call " + call.callid + " " + call.events[0].state);

        // 25 calls a page, newest first.
        var now = (long)(DateTime.UtcNow - new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc)).TotalSeconds;
        var filter = new Dictionary<string, string>
        {
            { "date_start", (now - 86400).ToString() }, { "date_end", now.ToString() }
        };
        string next;
        do
        {
            var answer = Ask<SearchAnswer>("/dial/search", filter);
            if (answer.status != 200)
            {
                Console.Error.WriteLine(answer.message);
                return 1;
            }
            foreach (var row in answer.result.data)
                Console.WriteLine(row.callid + " " + row.type + " " + row.src + " " + row.dst + " "
                    + row.status + " " + row.billsec);
            next = answer.result.next;
            filter["start"] = next;
        } while (!string.IsNullOrEmpty(next));

        var over = Ask<DialAnswer>("/dial/hangup", two);
        Console.WriteLine("hang up " + over.call_status);
        return 0;
    }
}
